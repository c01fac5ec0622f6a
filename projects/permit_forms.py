"""What people type about permits: only the fields that they hold are there. The rules judge; a form reads."""

from collections.abc import Iterable

from django import forms
from django.core.exceptions import ValidationError

from linfen_water.enums import UnitKind
from linfen_water.models import Unit
from projects.forms import DayField, readable
from projects.models import Permit
from projects.permit_services import FIELDS, as_text
from projects.permits import Line

LABELS = {name: str(Permit._meta.get_field(name).verbose_name) for name in FIELDS}
MOST_WORKDAYS = 366


class TextField(forms.CharField):
    """One line of text, without the control characters of a paste."""

    def __init__(self, label: str, max_length: int, *, is_long: bool = False, **attrs):
        super().__init__(
            label=label,
            required=False,
            max_length=max_length,
            error_messages={"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"},
            widget=forms.Textarea(attrs={"rows": 1}) if is_long else forms.TextInput(attrs={"autocomplete": "off", **attrs}),
        )

    def to_python(self, value):
        return " ".join(readable(super().to_python(value)).split())


class AuthorityField(forms.ChoiceField):
    """A unit by its code; the choices are read once for all rows of a page."""

    def __init__(self, units: list[Unit]):
        self.units = {unit.code: unit for unit in units}
        choices = [("", "未登记"), *((unit.code, unit.name) for unit in units)]
        super().__init__(label="受理机关", required=False, choices=choices, error_messages={"invalid_choice": "请从列表中选择受理机关。"})

    def clean(self, value):
        return self.units.get(super().clean(value))


class PermitForm(forms.Form):
    """One permit; field names are prefixed with its key."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, line: Line, data=None, *, units: list[Unit] = (), initial: dict | None = None):
        values = {name: as_text(getattr(line.permit, name)) for name in FIELDS} | {"version": line.permit.edit_version}
        super().__init__(data, prefix=str(line.permit.pk), initial=values | (initial or {}), auto_id="permit-%s")
        self.line = line
        makers = {
            "is_required": lambda: forms.BooleanField(label="需要办理", required=False),
            "authority": lambda: AuthorityField(units),
            "submitted_on": lambda: DayField(label="报送日", required=False),
            "promised_workdays": lambda: forms.IntegerField(
                label="承诺时限（工作日）",
                required=False,
                min_value=0,
                max_value=MOST_WORKDAYS,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
                error_messages={
                    "invalid": "请填整数，单位为工作日。",
                    "min_value": "不能小于 0。",
                    "max_value": f"不能大于 {MOST_WORKDAYS}。",
                },
            ),
            "obtained_on": lambda: DayField(label="办结日", required=False),
            "doc_number": lambda: TextField("文号", 60),
            "valid_until": lambda: DayField(label="有效期至", required=False),
            "note": lambda: TextField("卡点说明", 200, is_long=True),
            "parallel_group": lambda: TextField("并联组", 20, list="permit-groups"),
            "helper_post": lambda: TextField("帮办人（岗位）", 30),
        }
        for name in FIELDS:
            if name in line.held:
                self.fields[name] = makers[name]()
                attrs = self.fields[name].widget.attrs
                attrs["aria-label"] = f"{line.owner.code} {line.label} {LABELS[name]}"
                if values[name] is None:
                    attrs["class"] = "is-empty"  # paper shows a gap, not the browser's pattern of a date

    def clean(self):
        if self.data.get(self.add_prefix("version")) is None:
            raise ValidationError("没有收到这项手续的内容，请刷新页面。")
        return self.cleaned_data

    @property
    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def cell(self, name: str):
        return self[name] if name in self.fields else None


def authorities() -> list[Unit]:
    """Units that may approve: every department and body that is no county and not the office."""
    return list(Unit.objects.exclude(kind__in=[UnitKind.COUNTY, UnitKind.OFFICE]))


def with_forms(lines: Iterable[Line], units: list[Unit] | None = None) -> list[Line]:
    """The lines, each with its form where the person holds a field."""
    lines = list(lines)
    if units is None:
        units = authorities() if any("authority" in line.held for line in lines) else []
    for line in lines:
        if line.held and line.form is None:
            line.form = PermitForm(line, units=units)
    return lines


def is_sent(line: Line, data) -> bool:
    return f"{line.permit.pk}-version" in data


def with_picks(line: Line, data):
    """The data with the other person's value wherever it was chosen after a conflict."""
    picked = data.copy()
    for name in FIELDS:
        if data.get(f"{line.permit.pk}-pick-{name}") == "theirs":
            value = as_text(getattr(line.permit, name))
            picked[f"{line.permit.pk}-{name}"] = "" if value in (None, False) else "on" if value is True else value
    return picked


def show_conflict(line: Line, conflict, units: list[Unit]) -> None:
    """Put both values beside each other; saving again settles it."""
    merged = {name: as_text(value) for name, value in conflict.merged.items()} | {"version": conflict.version}
    line.form = PermitForm(line, units=units, initial=merged)
    line.conflict = [(LABELS[name], name, spoken(conflict.theirs[name]), spoken(conflict.mine[name])) for name in conflict.mine]


def spoken(value) -> str:
    if value in (None, ""):
        return "空"
    if isinstance(value, bool):
        return "需要" if value else "不需要"
    return str(value)

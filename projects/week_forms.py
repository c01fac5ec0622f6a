"""What the office types about weeks and thresholds, and what a unit types into the sheet of monthly plans. Read here, judged elsewhere."""

import dataclasses
import datetime as dt
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from linfen_water import policy
from projects.forms import DayField, NumberField
from projects.planning import TIMES, Typed
from projects.rules import plain
from projects.weeks import Week


class MomentField(forms.DateTimeField):
    """A minute, as browsers send it and as people type it."""

    default_error_messages = {"invalid": "时间无效，请按 2025-02-20 18:00 填写。", "required": "请填写时间。"}
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **kwargs):
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y.%m.%d %H:%M", "%Y/%m/%d %H:%M"], **kwargs)


class WeekForm(forms.Form):
    """Times of one week."""

    opens_at = MomentField(label="开放时间")
    deadline_at = MomentField(label="截止时间")
    locks_at = MomentField(label="锁定时间")
    reason = forms.CharField(label="理由", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    is_urgent = forms.BooleanField(label="急件：来不及提前公布，立即通知各单位", required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    @classmethod
    def of(cls, week: Week, seen: str) -> "WeekForm":
        return cls(initial={name: timezone.localtime(getattr(week, name)) for name in TIMES} | {"seen": seen})

    def week(self, week_of: dt.date) -> Week:
        return Week(week_of, *(self.cleaned_data[name] for name in TIMES), is_set=True)


WEEKDAY_CHOICES = list(enumerate(policy.WEEKDAYS))


class PolicyForm(forms.Form):
    """Every threshold, the day from which it holds, and on what ground."""

    effective_on = DayField(label="生效日")
    reason = forms.CharField(
        label="依据",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "修改规则须写明依据，例如会议纪要或文号。"},
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in dataclasses.fields(policy.Values):
            self.fields[field.name] = _threshold(field)

    @property
    def values(self) -> policy.Values:
        return policy.Values(**{field.name: self.cleaned_data[field.name] for field in dataclasses.fields(policy.Values)})


def _threshold(field: dataclasses.Field) -> forms.Field:
    term = policy.TERMS.get(field.name) or policy.Term("其他", field.name, "")
    if isinstance(field.default, bool):
        return forms.BooleanField(label=term.label, required=False)
    if field.name.endswith("_weekday"):
        return forms.TypedChoiceField(label=term.label, choices=WEEKDAY_CHOICES, coerce=int, error_messages={"required": "请选择。"})
    return forms.IntegerField(
        label=term.label,
        min_value=term.low,
        max_value=term.high,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": "请填整数。",
            "invalid": "请填整数。",
            "min_value": "不能小于 %(limit_value)s。",
            "max_value": "不能大于 %(limit_value)s。",
        },
    )


# ── the sheet of monthly plans ──

PLAN_NUMBER = NumberField(required=False, min_value=0, max_digits=14, decimal_places=2)


@dataclasses.dataclass(slots=True)
class PlanCell:
    """One month of one project in the sheet; `value` is what stands in the input."""

    month: dt.date
    name: str
    value: str
    seen: str
    is_past: bool
    error: str = ""
    theirs: str | None = None  # what somebody else saved meanwhile


def read_plan_row(data, code: str, months: list[dt.date]) -> tuple[dict[dt.date, Typed], dict[dt.date, str]]:
    """What was typed of one project, by month, and the sentences for cells that cannot be read."""
    typed, errors = {}, {}
    for month in months:
        name = cell_name(code, month)
        if name not in data:
            continue
        try:
            typed[month] = Typed(seen=_number(data.get(f"{name}-seen", "")), value=_number(data[name]))
        except ValidationError as fault:
            errors[month] = f"{month.month}月：{fault.messages[0]}"
    return typed, errors


def cell_name(code: str, month: dt.date) -> str:
    return f"{code}-{month:%Y-%m}"


def _number(text: str) -> Decimal | None:
    return PLAN_NUMBER.clean(text)


def spelled(value: Decimal | None) -> str:
    return "" if value is None else plain(value)

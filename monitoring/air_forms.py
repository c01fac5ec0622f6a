"""What is typed of an air ranking: the period, who published it and when, and a line a county."""

import datetime as dt

from django import forms

from monitoring import air, air_values
from monitoring.air_values import MEASURES
from monitoring.models import AirPeriod

FACTS = ["starts_on", "ends_on", "label", "published_on", "source", "notes"]


class MeasureField(forms.CharField):
    """One value as it is printed; "—" or nothing is missing."""

    def __init__(self, measure: str, **kwargs):
        super().__init__(required=False, strip=True, max_length=20, **kwargs)
        self.measure = measure
        self.widget.attrs |= {"inputmode": "text" if MEASURES[measure].is_change else "decimal", "autocomplete": "off", "size": 7}

    def clean(self, value):
        text = super().clean(value)
        try:
            number = air_values.exact(self.measure, text)
        except ValueError as fault:
            raise forms.ValidationError(str(fault)) from None
        if number != (kept := air_values.read(self.measure, text)):
            raise forms.ValidationError(f"最多 {MEASURES[self.measure].decimals} 位小数：请按发布的数值填写。")
        return kept


def _day(label: str, example: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": f"请填{label}，例如 {example}。", "invalid": f"日期请按 {example} 填写。"},
    )


def _text(label: str, field: str, **kwargs) -> forms.CharField:
    longest = AirPeriod._meta.get_field(field).max_length
    messages = {"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。", "required": f"请填{label}。"}
    return forms.CharField(label=label, max_length=longest, error_messages=messages, **kwargs)


class AirPeriodForm(forms.Form):
    """A period with its values; `counties` are the lines in their order, `known` the results of the period by county."""

    starts_on = _day("起始日", "2025-01-01")
    ends_on = _day("截止日", "2025-01-31")
    label = _text("时段名称", "label", required=False, help_text="表头怎样印就怎样写，例如“2024年10月以来”；留空则按起止日期自动命名。")
    published_on = _day("发布日", "2025-02-12")
    source = _text("数据来源", "source", help_text="发布单位或文件。")
    notes = forms.CharField(
        label="注", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}), help_text="印在表下，每行一条。"
    )
    reason = forms.CharField(
        label="更正理由",
        required=False,
        max_length=200,
        help_text="改动已发布的内容时必填，例如“市局更正通知”；旧值和理由都会留痕。",
        error_messages={"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"},
    )

    def __init__(self, data=None, *, period: AirPeriod | None, counties, known, today: dt.date):
        shown = {name: getattr(period, name) for name in air.PERIOD_FIELDS} if period else {"published_on": today}
        super().__init__(data, initial=shown)
        self.period, self.today, self.counties, self.known = period, today, list(counties), known
        for county in self.counties:
            for measure in MEASURES:
                said = air_values.spoken(measure, getattr(known.get(county.pk), measure, None))
                title = f"{county.name}{MEASURES[measure].title}"
                field = self.fields[_name(county, measure)] = MeasureField(measure, label=title, initial=said)
                field.widget.attrs["aria-label"] = title

    @property
    def facts(self):
        return [self[name] for name in FACTS]

    @property
    def lines(self):
        """`[(county, [bound field, …]), …]`."""
        return [(county, [self[_name(county, measure)] for measure in MEASURES]) for county in self.counties]

    @property
    def faults(self) -> list[tuple[str, str, str]]:
        """`[(id of the field, its label, sentence), …]` for the list above the form."""
        found = ((self[name], fault) for name, faults in self.errors.items() if name in self.fields for fault in faults)
        return [(field.id_for_label, str(field.label), str(fault)) for field, fault in found]

    def clean(self):
        cleaned = super().clean()
        starts_on, ends_on, published_on = (cleaned.get(name) for name in ("starts_on", "ends_on", "published_on"))
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", "截止日不能早于起始日。")
        elif ends_on and ends_on > self.today:
            self.add_error("ends_on", f"这个时段还没有结束（今天是 {self.today}）。")
        if published_on and published_on > self.today:
            self.add_error("published_on", f"发布日不能晚于今天（{self.today}）。")
        elif published_on and ends_on and published_on < ends_on:
            self.add_error("published_on", "发布日不能早于截止日。")
        same = AirPeriod.objects.filter(starts_on=starts_on, ends_on=ends_on).exclude(pk=self.period.pk if self.period else None).first()
        if same:
            self.add_error("starts_on", f"这个时段已经录入（{same.label}），请到它那里修改。")
        if not self.errors and not any(value is not None for values in self.values.values() for value in values.values()):
            self.add_error(None, "一个县（市、区）的数值都没有填：请至少填一行。")
        return cleaned

    @property
    def values(self) -> dict[int, dict]:
        """By county: what was typed, and what was known where nothing is to be kept."""
        return {
            county.pk: {measure: self.cleaned_data.get(_name(county, measure)) for measure in MEASURES}
            for county in self.counties
            if county.pk in self.known or any(self.cleaned_data.get(_name(county, measure)) is not None for measure in MEASURES)
        }

    @property
    def entry(self) -> air.Entry:
        """Ask only when the form is valid."""
        said = self.cleaned_data
        label = said["label"] or air.label_of(said["starts_on"], said["ends_on"])
        notes = "\n".join(line.rstrip() for line in said["notes"].splitlines()).strip()
        return air.Entry(said["starts_on"], said["ends_on"], label, said["published_on"], said["source"], notes, self.values)


class WithdrawForm(forms.Form):
    reason = forms.CharField(label="撤回理由", max_length=200, error_messages={"required": "请写明为什么撤回。"})


def _name(county, measure: str) -> str:
    return f"v{county.pk}-{measure}"

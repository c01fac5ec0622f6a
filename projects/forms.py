"""What people type about projects. The rules judge (`rules.py`); a form only reads, and says at the field what it cannot read."""

import datetime as dt
import unicodedata
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError

from linfen_water.models import County, Unit
from projects import reports, rules
from projects.enums import StageEvent
from projects.models import ProjectVersion
from projects.reports import DATES, MONEY, PROGRESS, TEXTS, ProjectWeek, money_key
from projects.services import VERSIONED

EARLIEST_YEAR, LATEST_YEAR = 2000, 2099


class NumberField(forms.DecimalField):
    """A number as people type it: full-width digits, thousands commas, a trailing % or 万元 are read too."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})  # a number input would swallow all of these
    default_error_messages = {
        "invalid": "请填数字。",
        "required": "请填数字，没有请填 0。",
        "min_value": "不能小于 %(limit_value)s。",
        "max_value": "不能大于 %(limit_value)s。",
        "max_decimal_places": "最多两位小数。",
        "max_digits": "数字过大，请核对单位。",
        "max_whole_digits": "数字过大，请核对单位。",
    }

    def to_python(self, value):
        if isinstance(value, str):
            value = unicodedata.normalize("NFKC", value).replace(",", "").replace(" ", "").removesuffix("%").removesuffix("万元")
        return super().to_python(value)


class DayField(forms.DateField):
    """A day; 2025-02-20, 2025.2.20, 2025/2/20 and 2025年2月20日 are all read."""

    default_error_messages = {"invalid": "日期无效，请按 2025-02-20 填写。", "required": "请填写日期。"}
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **kwargs):
        super().__init__(input_formats=["%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y年%m月%d日"], **kwargs)

    def to_python(self, value):
        day = super().to_python(unicodedata.normalize("NFKC", value) if isinstance(value, str) else value)
        if day and day.year < EARLIEST_YEAR:
            raise ValidationError(f"{day.year} 年过早，请核对年份。")
        if day and day.year > LATEST_YEAR:
            raise ValidationError(f"{day.year} 年过晚，请核对年份。")
        return day


def readable(text: str) -> str:
    """`text` without the control characters that come along with a paste: maps, papers and workbooks cannot show them."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


class LongTextField(forms.CharField):
    """Several lines; line ends are stored as one character whatever the browser sends."""

    def __init__(self, **kwargs):
        super().__init__(
            required=False, max_length=2000, error_messages={"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"}, **kwargs
        )

    def to_python(self, value):
        return readable(super().to_python(value).replace("\r\n", "\n"))


class DispatchForm(forms.Form):
    """One project's report of a week; field names are the keys of a flat report, prefixed with the project's code."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    physical_progress = NumberField(label="总体进度", required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2)
    started_on = DayField(label="实际开工", required=False)
    completed_on = DayField(label="实际完工", required=False)
    forecast_start_on = DayField(label="预计开工", required=False)
    forecast_finish_on = DayField(label="预计完工", required=False)
    done = LongTextField(label="本周进展")
    next_steps = LongTextField(label="下周计划")
    hinders = LongTextField(label="存在问题")
    reason = forms.CharField(
        label="说明", required=False, max_length=200, error_messages={"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"}
    )

    def __init__(self, week: ProjectWeek, data=None):
        super().__init__(data, prefix=week.project.code)
        self.week = week
        for source in week.sources:
            for field in MONEY:
                self.fields[money_key(field, source.pk)] = NumberField(
                    label=f"{source.get_kind_display()}{rules.MONEY_WORDS[field]}", min_value=0, max_digits=14, decimal_places=2
                )

    @property
    def report(self) -> reports.Flat:
        """What was typed, as a flat report; fields that the page did not offer keep their saved value."""
        offered = {name for name in self.fields if self.add_prefix(name) in self.data}
        return self.week.current | {name: self.cleaned_data[name] for name in offered if name != "version"}

    @property
    def readable(self) -> reports.Flat:
        """Of what was typed, that which can be read; a cell with a fault is left out."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version" and self.add_prefix(name) in self.data}

    @property
    def values(self) -> dict:
        return {name: self.report[name] for name in (PROGRESS, *DATES, *TEXTS)}

    @property
    def lines(self) -> dict[int, dict[str, Decimal]]:
        return reports.lines_of(self.report)


class ReturnForm(forms.Form):
    """Why a dispatch is sent back."""

    remark = forms.CharField(
        label="退回意见",
        max_length=200,
        error_messages={"required": "退回须写明意见。", "max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"},
    )


class RevisionForm(forms.ModelForm):
    """The facts of a project that change only with a reason and from a day on; judged by `services.revise_project`."""

    total_investment_wan = NumberField(label="总投资（万元）", min_value=0, max_digits=14, decimal_places=2)
    baseline_start_on = DayField(label="基线开工")
    baseline_finish_on = DayField(label="基线完工")
    effective_from = DayField(label="生效日")
    reason = forms.CharField(label="变更理由", max_length=200, error_messages={"required": "变更须写明理由，例如批复文号。"})

    class Meta:
        model = ProjectVersion
        fields = [*VERSIONED]
        error_messages = {name: {"required": "此项必填。"} for name in VERSIONED}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["county"].queryset = County.objects.all()
        self.fields["lead_unit"].queryset = self.fields["responsible_unit"].queryset = Unit.objects.all()

    def clean(self):
        return {name: readable(value) if isinstance(value, str) else value for name, value in super().clean().items()}

    def _post_clean(self):
        """The version in force is never edited: the service judges and writes the next one."""

    @property
    def changes(self) -> dict:
        return {name: self.cleaned_data[name] for name in VERSIONED}


class StageFactForm(forms.Form):
    """That a project started or was completed, recorded by the office."""

    event = forms.ChoiceField(label="事项", choices=StageEvent)
    on = DayField(label="日期")
    ground = forms.CharField(label="依据", max_length=120, error_messages={"required": "请写明依据，例如竣工验收、现场核查。"})


class MagnetForm(forms.Form):
    """The turn of a button on the wall: what happened, when, and what proves it."""

    GROUNDS = {"报告": "周调度或县（市、区）报告", "验收文件": "竣工验收文件", "核查": "现场核查", "说明": "情况说明"}
    event = forms.ChoiceField(choices=StageEvent, widget=forms.HiddenInput)
    on = DayField(label="日期")
    kind = forms.ChoiceField(label="依据", choices=GROUNDS.items())
    note = forms.CharField(label="文号或说明", max_length=100, error_messages={"required": "请写明文号或说明，例如“临环验〔2025〕3号”。"})

    @property
    def fact(self) -> dict:
        """What `services.record_stage_fact` wants."""
        data = self.cleaned_data
        return {"event": StageEvent(data["event"]), "on": data["on"], "ground": f"{self.GROUNDS[data['kind']]}：{readable(data['note'])}"}


class WithdrawalForm(forms.Form):
    """Why a stage fact is withdrawn."""

    reason = forms.CharField(label="撤销理由", max_length=200, error_messages={"required": "撤销须写明理由。"})


def add_faults(form: forms.BaseForm, faults: list[rules.Fault]) -> None:
    """Put each fault beside its field."""
    for fault in faults:
        form.add_error(fault.field if fault.field in form.fields else None, fault.sentence)


def is_day(text: str) -> bool:
    """Whether a date input of a browser can show `text`."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True

"""What the office types about sources and allocation papers. The services judge; a form reads."""

from django import forms

from linfen_water import clock
from projects.enums import SourceKind
from projects.forms import DayField, NumberField, readable
from projects.models import FundingSource
from projects.problem_forms import FilesField

TOO_LONG = "最多 %(limit_value)s 字，现为 %(show_value)s 字。"


class LineField(forms.CharField):
    """One line of text, without the control characters of a paste."""

    def __init__(self, label: str, max_length: int, *, missing: str = "", **kwargs):
        messages = {"max_length": TOO_LONG} | ({"required": missing} if missing else {})
        super().__init__(label=label, max_length=max_length, required=bool(missing), error_messages=messages, **kwargs)
        self.widget.attrs["autocomplete"] = "off"

    def to_python(self, value):
        return " ".join(readable(super().to_python(value)).split())


def wan_field(label: str, **kwargs) -> NumberField:
    return NumberField(label=label, max_digits=14, decimal_places=2, **kwargs)


class SourceForm(forms.Form):
    """A new source of a project."""

    kind = forms.ChoiceField(label="来源", choices=[("", "请选择"), *SourceKind.choices], error_messages={"required": "请选择来源。"})
    planned_wan = wan_field("计划额（万元）", min_value=0)
    opened_on = DayField(label="启用日")
    reason = LineField("依据", 200, missing="请写明依据，例如批复文号。")

    def __init__(self, *args, known=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["opened_on"].initial = clock.today()
        self.fields["kind"].choices = [(value, word) for value, word in self.fields["kind"].choices if value not in known]


class OfSource(forms.Form):
    """What is done to one source; `version` is what the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, source: FundingSource, data=None):
        super().__init__(data, prefix=f"{self.name}-{source.pk}", initial={"version": source.edit_version} | self.starts(source))
        self.source = source

    name = ""

    def starts(self, source: FundingSource) -> dict:
        return {}


class PlanForm(OfSource):
    name = "plan"
    planned_wan = wan_field("新的计划额（万元）", min_value=0)
    effective_from = DayField(label="生效日")
    reason = LineField("调整理由", 200, missing="请写明调整理由，例如批复文号。")

    def starts(self, source):
        return {"planned_wan": source.planned_wan, "effective_from": clock.today()}


class CloseForm(OfSource):
    name = "close"
    closed_on = DayField(label="关闭日")
    reason = LineField("关闭理由", 200, missing="请写明关闭理由。")

    def starts(self, source):
        return {"closed_on": clock.today()}


class ReopenForm(OfSource):
    name = "reopen"
    reason = LineField("恢复理由", 200, missing="请写明恢复理由。")


class PaperForm(forms.Form):
    """An allocation paper with its amount by source; an empty amount is none, a negative one takes money back."""

    doc_number = LineField("下达文号", 60, missing="请填写下达文号。")
    issued_on = DayField(label="下达日期")
    note = LineField("说明", 200)
    files = FilesField(label="附件")

    def __init__(self, sources, data=None, files=None):
        super().__init__(data, files, prefix="paper")
        for source in sources:
            self.fields[f"amount_{source.pk}"] = wan_field(f"{source.get_kind_display()}（万元）", required=False)
        self.order_fields(["doc_number", "issued_on", *(f"amount_{source.pk}" for source in sources), "note", "files"])

    @property
    def amounts(self) -> dict:
        prefix = "amount_"
        return {int(name.removeprefix(prefix)): value for name, value in self.cleaned_data.items() if name.startswith(prefix) and value}


class ReasonForm(forms.Form):
    reason = LineField("理由", 200, missing="请写明理由。")


class FilesForm(forms.Form):
    files = FilesField(label="附件")

    def clean_files(self):
        if not self.cleaned_data["files"]:
            raise forms.ValidationError("请先选择文件。")
        return self.cleaned_data["files"]

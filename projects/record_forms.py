"""What people type into rows that are kept by hand: forms made from the model's fields, with the office's own fields and words."""

from django import forms
from django.db import models

from projects.forms import DayField, NumberField, readable
from projects.problem_forms import TOO_LONG, choice_errors


class LinesField(forms.CharField):
    """Some lines of text; control characters of a paste are left out."""

    def to_python(self, value):
        return readable(super().to_python(value).replace("\r\n", "\n"))


def typed_field(field: models.Field, **kwargs) -> forms.Field | None:
    """The form field of a model field: dates and numbers as people write them, Chinese words for every fault."""
    label, wanted = str(field.verbose_name), not field.blank
    needed = {"required": f"请填写{label}。", "max_length": TOO_LONG, "invalid": f"{label}无效，请核对。"}
    if isinstance(field, models.DateField):
        return DayField(label=label, required=wanted)
    if isinstance(field, models.DecimalField):
        errors = {"required": f"请填写{label}。"}
        return NumberField(
            label=label,
            required=wanted,
            min_value=0,
            max_digits=field.max_digits,
            decimal_places=field.decimal_places,
            error_messages=errors,
        )
    if isinstance(field, models.BooleanField):
        choices = [("", "未说明"), ("true", "是"), ("false", "否")]
        return forms.TypedChoiceField(label=label, choices=choices, coerce=lambda v: v == "true", empty_value=None, required=False)
    if isinstance(field, models.IntegerField):
        errors = {
            "required": f"请填写{label}。",
            "invalid": "请填整数。",
            "min_value": "不能小于 %(limit_value)s。",
            "max_value": "数字过大。",
        }
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        return forms.IntegerField(label=label, required=wanted, min_value=0, max_value=32_767, widget=widget, error_messages=errors)
    if field.choices:
        offered = field.choices if field.has_default() else [("", "请选择"), *field.choices]
        return forms.ChoiceField(label=label, choices=offered, required=wanted, error_messages=choice_errors(label))
    if isinstance(field, models.ManyToManyField):
        return field.formfield(
            label=label, required=False, widget=forms.CheckboxSelectMultiple, error_messages=choice_errors(label), help_text=""
        )
    if isinstance(field, models.ForeignKey):
        empty = "请选择" if wanted else "无"
        return field.formfield(label=label, required=wanted, empty_label=empty, error_messages=choice_errors(label))
    if isinstance(field, models.TextField):
        return LinesField(label=label, required=wanted, max_length=4000, widget=forms.Textarea(attrs={"rows": 4}), error_messages=needed)
    return LinesField(label=label, required=wanted, max_length=field.max_length, error_messages=needed)


class RecordForm(forms.ModelForm):
    """A row as it is typed. The services judge and write; the form only reads."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        formfield_callback = typed_field

    def __init__(self, *args, user, today, **kwargs):
        self.user, self.today = user, today
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.edit_version if self.instance.pk else 0
        self.offer()

    def offer(self) -> None:
        """Narrow what can be chosen to what the person may name."""

    def offer_projects(self, projects) -> None:
        """The projects of a choice, by code and name."""
        names = dict(projects.as_of(self.today).values_list("pk", "v__name"))
        field = self.fields["project"]
        if isinstance(code := self.initial.get("project"), str):  # as the address names it
            self.initial["project"] = projects.filter(code=code).values_list("pk", flat=True).first()
        field.queryset = projects.filter(pk__in=names).order_by("number", "code")
        field.label_from_instance = lambda project: f"{project.code} {names[project.pk]}"

    def _post_clean(self):
        """The row is never edited here."""

    @property
    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in self._meta.fields}


class ReasonForm(forms.Form):
    """Why a row is withdrawn."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(label="撤销理由", max_length=200, error_messages={"required": "撤销须写明理由。", "max_length": TOO_LONG})


class ActForm(forms.Form):
    """What an action on a row asks for: the version seen, and its own words under their own names."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def arguments(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


def words_field(label: str, *, max_length: int = 200, required: bool = True, rows: int = 3, help_text: str = "") -> LinesField:
    errors = {"required": f"请写明{label}。", "max_length": TOO_LONG}
    widget = forms.Textarea(attrs={"rows": rows})
    return LinesField(label=label, max_length=max_length, required=required, widget=widget, error_messages=errors, help_text=help_text)


class AnswerForm(ActForm):
    answer = words_field("办理（整改）情况", max_length=2000, help_text="做了什么、何时完成、凭什么认定已完成")


class CloseForm(ActForm):
    closing_basis = words_field("办结依据", rows=2)


class ReturnForm(ActForm):
    reason = words_field("退回意见", rows=2, help_text="哪里没有到位、还要做什么")


class ReopenForm(ActForm):
    reason = words_field("恢复办理的理由", rows=2)

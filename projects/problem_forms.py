"""What people type about problems: a form reads and says at the field what it cannot read; services judge."""

from django import forms

from linfen_water.models import Unit
from linfen_water.sent_files import Unfit
from projects import attachments, problem_permissions, problem_rules
from projects.enums import HelpLevel, ProblemCategory
from projects.forms import DayField, LongTextField, readable
from projects.models import Problem, Project

TOO_LONG = "最多 %(limit_value)s 字，现为 %(show_value)s 字。"


def choice_errors(what: str) -> dict[str, str]:
    return {"required": f"请选择{what}。", "invalid_choice": f"请从列表中选择{what}。", "invalid_pk_value": f"请从列表中选择{what}。"}


class TextField(forms.CharField):
    """Some lines of text of limited length; control characters of a paste are left out."""

    def __init__(self, *, max_length: int, rows: int = 3, required: bool = False, **kwargs):
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(required=required, max_length=max_length, widget=widget, error_messages={"max_length": TOO_LONG}, **kwargs)

    def to_python(self, value):
        return readable(super().to_python(value).replace("\r\n", "\n"))


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files as they will be kept; each is judged by its content, and all faults are said together."""

    widget = ManyFilesInput(attrs={"accept": attachments.ACCEPT})

    def __init__(self, **kwargs):
        super().__init__(required=False, help_text=attachments.HINT, **kwargs)

    def clean(self, data, initial=None):
        uploads = data if isinstance(data, (list, tuple)) else [data] if data else []
        try:
            return attachments.take_all((upload.name, upload.read(attachments.LARGEST + 1)) for upload in uploads)
        except Unfit as fault:
            raise forms.ValidationError(str(fault)) from None


class UnitField(forms.ModelChoiceField):
    def __init__(self, label: str):
        super().__init__(Unit.objects.none(), label=label, required=False, empty_label="待定", error_messages=choice_errors(label))


class ProblemFields(forms.Form):
    """What both raising and editing ask for."""

    category = forms.ChoiceField(label="类别", choices=[("", "请选择"), *ProblemCategory.choices], error_messages=choice_errors("类别"))
    description = LongTextField(label="问题描述", widget=forms.Textarea(attrs={"rows": 4}))
    handler = UnitField("承办单位")
    assistants = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        label="协办单位",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages=choice_errors("协办单位"),
    )
    due_on = DayField(label="整改时限", required=False)
    measures = LongTextField(label="措施", widget=forms.Textarea(attrs={"rows": 3}))

    def offer_units(self, user, problem: Problem | None = None) -> None:
        units = problem_permissions.assignable_units(user).order_by("kind", "position", "code")
        for name in ("handler", "assistants"):
            self.fields[name].queryset = units


class RaiseForm(ProblemFields):
    """A new problem of one project."""

    project = forms.ModelChoiceField(
        Project.objects.none(), label="项目", to_field_name="code", empty_label="请选择项目", error_messages=choice_errors("项目")
    )
    raised_on = DayField(label="提出日")
    dispatch = forms.IntegerField(required=False, widget=forms.HiddenInput)

    field_order = ["project", "category", "description", "raised_on", "handler", "assistants", "due_on", "measures", "dispatch"]

    def __init__(self, data=None, *, user, today, **kwargs):
        super().__init__(data, **kwargs)
        projects = problem_permissions.raisable_projects(user, today)
        names = dict(projects.as_of(today).values_list("pk", "v__name"))
        self.fields["project"].queryset = projects.filter(pk__in=names)
        self.fields["project"].label_from_instance = lambda project: f"{project.code} {names[project.pk]}"
        self.offer_units(user)

    def clean_dispatch(self):
        """The report that it was found in, when that is one of a project that the person may raise problems of."""
        key = self.cleaned_data["dispatch"]
        return key if key is not None and 0 < key < 2**63 else None


class EditForm(ProblemFields):
    """What the office changes of a problem; the handler only its measures."""

    reason = forms.CharField(
        label="变更理由", required=False, max_length=200, error_messages={"max_length": TOO_LONG}, help_text="时限延后或取消须写明"
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data=None, *, user, **kwargs):
        super().__init__(data, **kwargs)
        if problem_permissions.may_direct(user):
            self.offer_units(user)
        else:
            for name in ("category", "description", "handler", "assistants", "due_on", "reason"):
                del self.fields[name]

    @property
    def changes(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("reason", "version")}


def edit_initial(problem: Problem) -> dict:
    return {
        "category": problem.category,
        "description": problem.description,
        "handler": problem.handler_id,
        "assistants": [unit.pk for unit in problem.assistants.all()],
        "due_on": problem.due_on,
        "measures": problem.measures,
        "version": problem.edit_version,
    }


class NoteForm(forms.Form):
    text = TextField(label="进展", max_length=problem_rules.OPINION_LENGTH)


class StepForm(forms.Form):
    """What an action on a problem asks for besides the edit version; one class for each action."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def arguments(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class BeginForm(StepForm):
    pass


class ProveForm(StepForm):
    """Ground and evidence, to ask for the check and to close out."""

    basis = TextField(label="销号依据", max_length=problem_rules.BASIS_LENGTH, rows=2)
    files = FilesField(label="佐证材料")
    no_evidence = forms.CharField(label="没有材料的原因", required=False, max_length=200, error_messages={"max_length": TOO_LONG})


class ReturnForm(StepForm):
    opinion = TextField(label="核查意见", max_length=problem_rules.OPINION_LENGTH)


class UpForm(StepForm):
    exit_opinion = TextField(label="本级做了什么、为什么没有解决", max_length=problem_rules.OPINION_LENGTH)
    entry_opinion = TextField(label="提请上一级协调解决什么", max_length=problem_rules.OPINION_LENGTH, rows=2)


class DownForm(StepForm):
    to = forms.TypedChoiceField(label="退回到", coerce=int, error_messages=choice_errors("级别"))
    exit_opinion = TextField(label="退回理由", max_length=problem_rules.OPINION_LENGTH)

    def __init__(self, data=None, *, level: int, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["to"].choices = [(other.value, other.label) for other in reversed(HelpLevel) if other < level]


class ReopenForm(StepForm):
    reason = TextField(label="恢复办理的理由", max_length=200, rows=2)


class FilesForm(forms.Form):
    files = FilesField(label="附件")

    def clean_files(self):
        if not self.cleaned_data["files"]:
            raise forms.ValidationError("请先选择文件。")
        return self.cleaned_data["files"]


class WithdrawFileForm(forms.Form):
    reason = forms.CharField(label="撤下理由", max_length=200, error_messages={"required": "撤下附件须写明理由。", "max_length": TOO_LONG})

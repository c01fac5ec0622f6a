"""What people type about a visit to a site."""

from django import forms

from linfen_water.enums import UnitKind
from linfen_water.models import Unit
from projects.enums import ProblemCategory
from projects.forms import DayField, NumberField
from projects.inspections import INSPECTION_TYPED, inspected_projects
from projects.photos import MOST
from projects.problem_forms import choice_errors
from projects.record_forms import RecordForm, words_field
from projects.site_models import Inspection


class InspectionForm(RecordForm):
    class Meta(RecordForm.Meta):
        model = Inspection
        fields = INSPECTION_TYPED

    def offer(self):
        self.offer_projects(inspected_projects(self.user, self.today))
        self.fields["units"].queryset = Unit.objects.exclude(kind=UnitKind.COMPANY).order_by("kind", "position", "code")
        self.fields["visited_on"].help_text = "还没有去的留空，只作计划"
        self.fields["leader_post"].help_text = "写职务，不写姓名"
        self.fields["experts"].help_text = "写专业，不写姓名"
        self.fields["site_progress"].label = "现场进度（%）"
        self.fields["due_on"].label = "整改时限"


class FindingForm(forms.Form):
    category = forms.ChoiceField(label="类别", choices=[("", "请选择"), *ProblemCategory.choices], error_messages=choice_errors("类别"))
    text = words_field("发现问题", max_length=1000)
    is_problem = forms.BooleanField(label="同时转入问题台账", required=False)


class PlanForm(forms.Form):
    """When and led by whom the chosen projects are visited."""

    planned_on = DayField(label="督导日期")
    leader_post = forms.CharField(
        label="带队",
        max_length=30,
        help_text="写职务，不写姓名",
        error_messages={"required": "请填写带队的职务。", "max_length": "最多 30 字。"},
    )


class SiteForm(forms.Form):
    """What is typed at the site, on the phone; a finding is optional and becomes a problem when that is ticked."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    site_progress = NumberField(label="现场进度（%）", required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2)
    category = forms.ChoiceField(label="问题类别", choices=[("", "没有发现问题"), *ProblemCategory.choices], required=False)
    finding = words_field("发现问题", max_length=1000, required=False)
    is_problem = forms.BooleanField(label="转入问题台账", required=False, initial=True)
    demands = words_field("交办意见", max_length=2000, required=False)
    due_on = DayField(label="整改时限", required=False)
    photos = forms.Field(label=f"照片（最多 {MOST} 张）", required=False)  # read from the files of the request, each judged for itself

    def clean(self):
        typed = super().clean()
        if typed.get("category") and not typed.get("finding"):
            self.add_error("finding", "已选问题类别：请写明发现的问题。")
        if typed.get("finding") and not typed.get("category") and "category" not in self.errors:
            self.add_error("category", "请选择问题类别。")
        return typed

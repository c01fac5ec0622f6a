"""What people type about a visit to a site."""

from django import forms

from linfen_water.enums import UnitKind
from linfen_water.models import Unit
from projects.enums import ProblemCategory
from projects.inspections import INSPECTION_TYPED, inspected_projects
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

"""`/cases/`: measures of pressure, each with its ladder of papers on one line of time."""

from django import forms
from django.core.paginator import Paginator
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ledgers import cases
from ledgers.case_models import Case
from ledgers.cases import CASE, CASE_TYPED
from ledgers.enums import CaseKind
from ledgers.measures.reports import verdicts
from ledgers.meetings import working_units
from linfen_water.models import Unit
from linfen_water.permissions import is_office
from projects.chase_rules import standing
from projects.models import Project
from projects.record_forms import RecordForm
from projects.views.records import RecordPages, chase_acts

PER_PAGE = 30


class CaseForm(RecordForm):
    class Meta(RecordForm.Meta):
        model = Case
        fields = CASE_TYPED

    def offer(self):
        for name in ("unit", "with_units"):
            self.fields[name].queryset = working_units()
        names = dict(Project.objects.as_of(self.today).values_list("pk", "v__name"))
        self.fields["projects"].queryset = Project.objects.filter(pk__in=names).order_by("number", "code")
        self.fields["projects"].label_from_instance = lambda project: f"{project.code} {names[project.pk]}"
        self.fields["notice"].queryset = cases.notices_to(self.instance.unit if self.instance.pk else None).order_by("-issued_at")
        self.fields["notice"].label_from_instance = lambda document: f"{document.file_number} {document.title}（{document.unit}）"
        self.fields["due_on"].label = "报告期限"
        self.fields["with_units"].help_text = "联合督查时一起去的单位，如市政府督查室"
        self.fields["conditions"].help_text = "约谈写承诺的措施和完成日；挂牌督办写做到什么才能摘牌"
        self.fields["minutes"].help_text = "谈话或督查的经过，写职务，不写姓名"
        self.fields["minutes"].widget = forms.Textarea(attrs={"rows": 6})


@require_safe
def case_list(request):
    """Cases by kind, open ones first, and what the judgement of today proposes."""
    day, kind = request.as_of, request.GET.get("kind", "")
    found = cases.visible_cases(request.user).filter(opened_on__lte=day).select_related("unit").prefetch_related("projects")
    if kind in CaseKind.values:
        found = found.filter(kind=kind)
    page = Paginator(found.order_by("-opened_on", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    may_add = is_office(request.user) and day == request.today
    context = {
        "page": page,
        "rows": [(row, standing(day, row.due_on, row.answered_on, row.closed_on)) for row in page],
        "kinds": CaseKind.choices,
        "kind": kind,
        "may_add": may_add,
        "proposals": cases.proposals(verdicts(day)) if may_add else [],
    }
    return render(request, "ledgers/cases.html", context)


class CasePages(RecordPages):
    kind, form, ledger = CASE, CaseForm, "letters"
    template = "ledgers/case.html"
    intro = "系统只汇集材料和过程，不作结论；约谈、挂牌由人决定，问责由有权机关决定。"
    acts = chase_acts(cases.may_report, lambda user, row: is_office(user), answer="报告整改情况", close="核实办结（摘牌、移交）")

    @property
    def list_url(self):
        return reverse("cases")

    def visible(self, user, today):
        return cases.visible_cases(user).select_related("unit__county", "notice")

    def title(self, row):
        return f"{row} {row.unit}"

    def initial(self, request):
        kind = request.GET.get("kind", "")
        unit = Unit.objects.filter(code=request.GET.get("unit", "")).first()
        return {
            "kind": kind if kind in CaseKind.values else "",
            "unit": unit and unit.pk,
            "opened_on": request.today,
            "due_on": cases.report_due(kind, request.today),
            "ground": request.GET.get("ground", "")[:2000],
        }

    def context(self, request, row):
        return {"ladder": cases.ladder(row, request.user, request.as_of, request.today)}


case_pages = CasePages()

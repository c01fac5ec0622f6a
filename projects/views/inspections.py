"""`/inspections/`: a visit to a site, what was found, what was demanded and how it was put right."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from projects import inspections, records, services
from projects.forms import add_faults
from projects.inspection_forms import FindingForm, InspectionForm
from projects.said import with_said
from projects.site_models import InspectionFinding
from projects.views.records import CONFLICT, UNPROCESSABLE, RecordPages, chase_acts, standing


class InspectionPages(RecordPages):
    kind, form, ledger = inspections.INSPECTION, InspectionForm, "inspections"
    template = "records/inspection.html"
    intro = "先登记计划；到现场后在手机上补填督导日期、现场进度、发现的问题和交办意见。"
    acts = chase_acts(inspections.may_put_right, inspections.may_edit, answer="反馈整改情况", close="复查通过")

    def visible(self, user, today):
        return inspections.visible_inspections(user, today).select_related("project", "by__unit")

    def may_add(self, user):
        return inspections.may_inspect(user)

    def may_edit(self, user, row):
        return inspections.may_edit(user, row)

    may_withdraw = may_edit

    def initial(self, request):
        return {"planned_on": request.today, "project": request.GET.get("project", "")}

    def title(self, row):
        return f"{row.project.code} {row}"

    def details(self, row, day):
        names = {"due_on": "整改时限", "answer": "整改情况", "closed_on": "复查日", "closing_basis": "复查结果"}
        known = self.kind.known(row, day)
        return [(names.get(name) or self.kind.label(name), self.kind.spelled(name, known[name]) or "") for name in self.kind.fields]

    def words(self):
        return {"raise": "转入问题台账", "site": "现场填写"}

    def context(self, request, row):
        day = request.as_of
        has_come = row.visited_on is not None and row.visited_on <= day
        said = with_said(self.kind.model.objects.filter(pk=row.pk), "visited_on", "physical_progress").get() if has_come else None
        reported = said.said_physical_progress if said else None
        may_write = day == request.today and row.withdrawn_at is None and inspections.may_edit(request.user, row)
        return {
            "findings": row.findings.filter(withdrawn_at=None).select_related("problem") if has_come else [],
            "finding_form": FindingForm(prefix="finding") if may_write and has_come else None,
            "reported": reported,
            "difference": None if reported is None or row.site_progress is None else row.site_progress - reported,
            "photos": row.photos.filter(withdrawn_at=None) if has_come else [],
            "may_write": may_write,
            "standing": None if not has_come or not row.demands else standing(row, day),
            "has_come": has_come,
        }

    def offered(self, request, row, given):
        return super().offered(request, row, given) if row.visited_on and row.demands else []

    def finding(self, request, pk: int):
        """Write down one more finding, and raise it as a problem when that is wished."""
        row = self.find(request, pk)
        if row.withdrawn_at or not inspections.may_edit(request.user, row):
            raise Http404
        form = FindingForm(request.POST, prefix="finding")
        if form.is_valid():
            typed = form.cleaned_data
            try:
                found = inspections.add_finding(inspection=row, by=request.user, category=typed["category"], text=typed["text"])
                if typed["is_problem"] and found.problem_id is None:
                    inspections.raise_finding(finding=found, by=request.user)
            except services.Faulty as refusal:
                add_faults(form, refusal.faults)
            except services.Refused as refusal:
                form.add_error(None, str(refusal))
        if form.errors:
            return self.page(request, row, UNPROCESSABLE, finding_form=form)
        messages.success(request, "已登记发现的问题。")
        return redirect(self.kind.address(row))

    def finding_act(self, request, pk: int, finding: int):
        """Raise a finding as a problem, or withdraw it (`action`)."""
        row = self.find(request, pk)
        found = get_object_or_404(InspectionFinding, pk=finding, inspection=row, withdrawn_at=None)
        if row.withdrawn_at or not inspections.may_edit(request.user, row):
            raise Http404
        try:
            if request.POST.get("action") == "withdraw":
                reason = request.POST.get("reason", "")[:200]
                records.withdraw(inspections.FINDING, row=found, by=request.user, version=found.edit_version, reason=reason)
                messages.success(request, "已撤销这条发现。")
            else:
                raised = inspections.raise_finding(finding=found, by=request.user)
                messages.success(request, f"已转入问题台账，编号 {raised.problem.code}。")
        except services.Refused as refusal:
            return self.page(request, row, CONFLICT, fault=str(refusal))
        return redirect(self.kind.address(row))


inspection_pages = InspectionPages()
inspection_finding = require_POST(inspection_pages.finding)
inspection_finding_act = require_POST(inspection_pages.finding_act)

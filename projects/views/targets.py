"""`/projects/<code>/targets/`: what the province and the year ask of a project, and its milestones; forms for each kind of row."""

from django.forms import modelform_factory
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from projects import permissions, records, target_rules, targets
from projects.facts import project_facts
from projects.models import Project
from projects.record_forms import RecordForm
from projects.views.records import RecordPages


class TargetForm(RecordForm):
    """Any of the four kinds: its fields come from the model."""

    kind_of_row: records.Kind

    def offer(self):
        self.offer_projects(targets.writable_projects(self.user, self.kind_of_row))
        for name in ("progress", "plan_wan", "invested_wan"):
            if name in self.fields:
                unit = "%" if name == "progress" else "万元"
                self.fields[name].label = f"{self.fields[name].label}（{unit}）"
        for name in ("ground", "reason"):
            if name in self.fields:
                self.fields[name].help_text = "来自哪份文件、哪次调度，或更正的理由"


def form_of(kind: records.Kind) -> type[RecordForm]:
    made = modelform_factory(kind.model, form=TargetForm, fields=kind.fields, formfield_callback=RecordForm.Meta.formfield_callback)
    made.kind_of_row = kind
    return made


class TargetPages(RecordPages):
    def __init__(self, kind: records.Kind, ledger: str):
        self.kind, self.ledger, self.form = kind, ledger, form_of(kind)

    def visible(self, user, today):
        return targets.visible(self.kind, user, today)

    def may_add(self, user):
        return targets.may_write(user, self.kind)

    def may_edit(self, user, row):
        return targets.may_write(user, self.kind, row.project)

    may_withdraw = may_edit

    def title(self, row):
        return row.project.code

    def initial(self, request):
        today = request.today
        return {"project": request.GET.get("project", ""), "year": today.year, "set_on": today, "on": today, "effective_on": today}


PAGES = [
    ("annual/targets/", TargetPages(targets.TARGET, "annual")),
    ("annual/milestones/", TargetPages(targets.MILESTONE, "annual")),
    ("provincial/terms/", TargetPages(targets.TERM, "provincial")),
    ("provincial/figures/", TargetPages(targets.FIGURE, "provincial")),
]


@require_safe
def project_targets(request, code: str):
    """All four kinds of one project, as of a day."""
    scope = permissions.visible_projects(request.user, request.today)
    project = get_object_or_404(scope, code=code, listed_on__lte=request.as_of)
    day, is_now = request.as_of, request.as_of == request.today
    facts = next(iter(project_facts(day, Project.objects.filter(pk=project.pk))), None)
    groups = []
    for kind in targets.KINDS:
        rows = [row for row in targets.visible(kind, request.user, request.today).filter(project=project) if kind.known_from(row) <= day]
        names = [name for name in kind.fields if name != "project"]
        lines = [
            (row, [kind.spelled(name, kind.known(row, day)[name]) or "—" for name in names], _verdict(kind, row, facts, day))
            for row in rows
        ]
        may = is_now and targets.may_write(request.user, kind, project)
        groups.append((kind, [kind.label(name) for name in names], lines[::-1] if kind is not targets.MILESTONE else lines, may))
    context = {"project": project, "name": facts.name if facts else code, "groups": groups}
    return render(request, "records/targets.html", context)


def _cells(kind: records.Kind, row, names: list[str], day) -> list[str]:
    known = kind.known(row, day)
    return [kind.spelled(name, known[name]) or "—" for name in names]


def _verdict(kind, row, facts, day):
    if kind is targets.TARGET and facts:
        return target_rules.verdict(
            day, row.year, row.kind, row.progress, facts.started_on, facts.completed_on, facts.physical_progress
        ).label
    if kind is targets.MILESTONE:
        done = row.done_on if row.done_on and row.done_on <= day else None
        over = ((done or day) - row.due_on).days
        return "按期完成" if done and over <= 0 else f"晚{over}天完成" if done else f"逾期{over}天" if over > 0 else "未到期"
    return ""

"""`/funds/` (the money of the city, with what does not fit together) and a project's sheet of funds."""

import hashlib
from http import HTTPStatus
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from linfen_water import policy
from linfen_water.models import County, Domain
from projects import figures_funds, funds, funds_forms, funds_rules, funds_services, permissions, rules, wall
from projects.enums import SourceKind
from projects.forms import add_faults
from projects.models import Attachment, FundingPaper, FundingRevision, FundingSource, Project
from projects.services import Faulty, Refused

PER_PAGE = 30  # weeks
SHOWN_FINDINGS = 12
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
CACHE_SECONDS = 24 * 3600


class FundsFilter(forms.Form):
    """What `/funds/` can be narrowed by; the address carries it."""

    county = forms.ModelChoiceField(
        label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = forms.ModelChoiceField(label="领域", required=False, queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    kind = forms.ChoiceField(label="来源", required=False, choices=[("", "全部"), *SourceKind.choices])

    def narrowed(self, scope, day):
        chosen = self.cleaned_data
        if chosen["county"]:
            scope = scope.filter(pk__in=Project.objects.as_of(day).filter(v__county=chosen["county"]).order_by().values("pk"))
        return scope.filter(domain=chosen["domain"]) if chosen["domain"] else scope

    @property
    def address(self) -> dict[str, str]:
        """What is chosen, as the ledger's address has it."""
        chosen = self.cleaned_data
        found = {"county": chosen["county"] and chosen["county"].code, "domain": chosen["domain"] and chosen["domain"].name}
        return {name: value for name, value in (found | {"kind": chosen["kind"]}).items() if value}


@require_safe
def overview(request):
    """Sums by county, domain and source, the chain checked, gaps and idle money; every number leads to its rows."""
    form, day = FundsFilter(request.GET), request.as_of
    if not form.is_valid():
        return render(request, "projects/funds/funds.html", {"filter": form, "found": None}, status=UNPROCESSABLE)
    past = {"as_of": day.isoformat()} if day != request.today else {}
    found = _overview(request, form)
    rule = request.GET.get("rule", "")
    page = Paginator(found.of(rule), SHOWN_FINDINGS).get_page(request.GET.get("page"))
    context = {
        "filter": form,
        "found": found,
        "is_narrowed": bool(form.address),
        "before_on": day - funds.WEEK,
        "groups": [
            (title, name, rows, urlencode({k: v for k, v in form.address.items() if k != name} | past))
            for title, name, rows in (
                ("按县（市、区）", "county", found.counties), ("按领域", "domain", found.domains), ("按资金来源", "kind", found.kinds),
            )
        ],
        "chosen": urlencode(form.address | past),
        "past": urlencode(past),
        "figure": figures_funds.groups(found.counties[:24]) if found.counties else None,
        "page": page,
        "findings": funds.findings_of(day, page.object_list, found.weeks),
        "rule": rule,
        "rules": found.by_rule,
    }  # fmt: skip
    return render(request, "projects/funds/funds.html", context)


def _overview(request, form: FundsFilter) -> funds.Overview:
    """Made once per change of facts, day, scope and filter."""
    asked = hashlib.sha256(repr(sorted(form.address.items())).encode()).hexdigest()[:16]
    key = f"funds-sums:{wall.version(request.user, request.as_of)}:{asked}"
    found = cache.get(key)
    if found is None:
        scope = form.narrowed(permissions.visible_projects(request.user, request.today), request.as_of)
        found = funds.overview(request.as_of, scope, kind=form.cleaned_data["kind"])
        cache.set(key, found, CACHE_SECONDS)
    return found


# ── a project's sheet ──


@require_http_methods(["GET", "HEAD", "POST"])
def project_funds(request, code: str):
    """Sources, papers, the course of the money and its checks; the office writes, others read."""
    day = request.today if request.method == "POST" else request.as_of
    scope = permissions.visible_projects(request.user, request.today).filter(code=code)
    project = get_object_or_404(scope.as_of(day).values("pk", "code", "v__name", "v__county__name", "v__total_investment_wan", "stage"))
    if request.method == "POST":
        if not permissions.may_edit_funds(request.user):
            raise Http404
        return _take(request, project)
    return _sheet(request, project)


def _take(request, about: dict):
    """Do what was asked; what is refused is shown where it was typed."""
    project = Project.objects.get(pk=about["pk"])
    action = request.POST.get("action", "")
    doer = ACTIONS.get(action)
    if doer is None:
        raise Http404
    bound, act, told = doer(request, project)
    if bound.is_valid():
        try:
            act(bound)
        except Faulty as refusal:
            add_faults(bound, refusal.faults)
        except Refused as refusal:
            bound.add_error(None, str(refusal))
    if bound.errors:
        return _sheet(request, about, bound, UNPROCESSABLE)
    messages.success(request, told)
    return redirect("project_funds", project.code)


def _add(request, project):
    form = funds_forms.SourceForm(request.POST, prefix="add")
    return form, lambda f: funds_services.add_source(project=project, by=request.user, **f.cleaned_data), "已登记资金来源。"


def _of_source(form_class, service, told):
    def take(request, project):
        source = _own(FundingSource, request.POST.get("source"), project=project)
        form = form_class(source, request.POST)
        return form, lambda f: service(source=source, by=request.user, **f.cleaned_data), f"{source.get_kind_display()}{told}"

    return take


def _paper(request, project):
    form = funds_forms.PaperForm(_open_sources(project), request.POST, request.FILES)

    def act(bound):
        said = {name: bound.cleaned_data[name] for name in ("doc_number", "issued_on", "note", "files")}
        funds_services.add_paper(project=project, by=request.user, amounts=bound.amounts, **said)

    return form, act, "已登记下达文件，县（市、区）填报时即按新的下达额核对。"


def _unpaper(request, project):
    paper = _own(FundingPaper, request.POST.get("paper"), source__project=project)
    form = funds_forms.ReasonForm(request.POST, prefix=f"unpaper-{paper.pk}")
    return form, lambda f: funds_services.withdraw_paper(paper=paper, by=request.user, **f.cleaned_data), "已撤销登记，记录保留。"


def _files(request, project):
    paper = _own(FundingPaper, request.POST.get("paper"), source__project=project)
    form = funds_forms.FilesForm(request.POST, request.FILES, prefix=f"files-{paper.pk}")
    return form, lambda f: funds_services.add_files(paper=paper, by=request.user, **f.cleaned_data), "已上传附件。"


def _unfile(request, project):
    file = _own(Attachment, request.POST.get("file"), paper__source__project=project, withdrawn_at=None)
    form = funds_forms.ReasonForm(request.POST, prefix=f"unfile-{file.pk}")
    return form, lambda f: funds_services.withdraw_file(attachment=file, by=request.user, **f.cleaned_data), "已撤下附件，记录保留。"


def _own(model, key, **where):
    """A row of this project; anything else is not found."""
    if not (key and key.isascii() and key.isdigit() and len(key) < 10):
        raise Http404
    return get_object_or_404(model, pk=int(key), **where)


ACTIONS = {
    "add": _add,
    "plan": _of_source(funds_forms.PlanForm, funds_services.revise_plan, "的计划额已调整。"),
    "close": _of_source(funds_forms.CloseForm, funds_services.close_source, "已关闭。"),
    "reopen": _of_source(funds_forms.ReopenForm, funds_services.reopen_source, "已恢复。"),
    "paper": _paper,
    "unpaper": _unpaper,
    "files": _files,
    "unfile": _unfile,
}


def _open_sources(project) -> list[FundingSource]:
    return list(FundingSource.objects.filter(project=project, closed_on=None))


def _sheet(request, about: dict, bound=None, status=HTTPStatus.OK):
    """The page as of its day; with a `bound` form in which something is wrong, that one stands open."""
    day = request.today if bound else request.as_of
    scope = Project.objects.filter(pk=about["pk"])
    weeks_of_idle = policy.values_on(day).idle_funds_weeks
    lines = funds.read(day, scope, weeks=weeks_of_idle)
    sums = funds_rules.sum_up(line.source for line in lines)
    project = scope.get()
    weeks = funds.course(project, day)
    page = Paginator(weeks[::-1], PER_PAGE).get_page(request.GET.get("page"))
    is_writing = permissions.may_edit_funds(request.user) and day == request.today
    context = {
        "about": about,
        "name": about["v__name"],
        "lines": lines,
        "sums": sums,
        "before_on": day - funds.WEEK,
        "total_wan": about["v__total_investment_wan"],
        "total_rate": rules.rate(sums.in_place_wan, about["v__total_investment_wan"]),
        "findings": funds.findings(lines, weeks_of_idle, day),
        "papers": _papers(project, day, bound, is_now=day == request.today),
        "revisions": FundingRevision.objects.filter(source__project=project, effective_from__lte=day)
        .select_related("source", "by__unit").order_by("-effective_from", "-pk"),
        "figure": figures_funds.course(weeks, sums, day) if weeks else None,
        "page": page,
        "sources": {line.pk: line for line in lines},
        "past": urlencode({"as_of": day.isoformat()} if day != request.today else {}),
        "is_writing": is_writing,
        **(_forms(project, bound) if is_writing else {}),
    }  # fmt: skip
    return render(request, "projects/funds/sheet.html", context, status=status)


def _forms(project, bound) -> dict:
    """The forms of the page; the one that was sent and refused takes its place."""
    sources = list(FundingSource.objects.filter(project=project))

    def fresh(form, *args, **kwargs):
        made = form(*args, **kwargs)
        return bound if type(bound) is form and bound.prefix == made.prefix else made

    rows = [
        (source, [fresh(funds_forms.ReopenForm, source)])
        if source.closed_on
        else (source, [fresh(funds_forms.PlanForm, source), fresh(funds_forms.CloseForm, source)])
        for source in sources
    ]
    open_sources = [source for source in sources if not source.closed_on]
    return {
        "rows": rows,
        "add_form": fresh(funds_forms.SourceForm, prefix="add", known={source.kind for source in sources}),
        "paper_form": fresh(funds_forms.PaperForm, open_sources) if open_sources else None,
        "bound": bound,
    }


def _papers(project, day, bound, *, is_now: bool) -> list[dict]:
    """Papers by number, the last one first, each with amounts, files and forms; withdrawn ones are shown today only."""
    rows = FundingPaper.objects.filter(source__project=project, issued_on__lte=day).select_related(
        "source", "by__unit", "withdrawn_by__unit"
    )
    rows = rows.order_by("-issued_on", "-pk") if is_now else rows.filter(withdrawn_at=None).order_by("-issued_on", "-pk")
    files = list(Attachment.objects.filter(paper__source__project=project, withdrawn_at=None).select_related("by__unit"))
    found: dict[tuple, dict] = {}
    for row in rows:
        paper = found.setdefault((row.doc_number, row.issued_on, row.withdrawn_at), {"row": row, "parts": [], "files": [], "total": 0})
        paper["parts"].append(row)
        paper["total"] += row.amount_wan
        paper["files"] += [(file, _bound(bound, funds_forms.ReasonForm, f"unfile-{file.pk}")) for file in files if file.paper_id == row.pk]
    for paper in found.values():
        paper["unpaper"] = _bound(bound, funds_forms.ReasonForm, f"unpaper-{paper['row'].pk}")
        paper["more"] = _bound(bound, funds_forms.FilesForm, f"files-{paper['row'].pk}")
    return list(found.values())


def _bound(bound, form_class, prefix: str):
    """The form that was sent and refused where it belongs, a fresh one elsewhere."""
    return bound if type(bound) is form_class and bound.prefix == prefix else form_class(prefix=prefix)

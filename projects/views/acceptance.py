"""`/projects/<code>/acceptance/`: a finished project from its certificate to its proven effect, step by step."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water.sent_files import Unfit
from projects import acceptance as works
from projects import attachments, permissions, records, services
from projects.forms import DayField, NumberField, add_faults
from projects.models import Project
from projects.problem_forms import FilesField
from projects.record_enums import AcceptanceKind
from projects.record_forms import LinesField, words_field
from projects.site_models import AcceptanceFact, LoadReading

LOADS_SHOWN = 40


class FactForm(forms.Form):
    """One step: when, by which paper, in what words, with its files. `seen` is key and version of the one that is corrected."""

    seen = forms.RegexField(r"^(\d{1,18}:\d{1,9})?$", required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label="事项", choices=AcceptanceKind.choices)
    on = DayField(label="日期")
    doc_number = LinesField(label="文号", required=False, max_length=60)
    amount_wan = NumberField(label="决算金额（万元）", required=False, min_value=0, max_digits=14, decimal_places=2)
    text = words_field("内容", required=False, max_length=2000, help_text="认定材料名称、验收结论、效益数量、遗留问题等")
    files = FilesField(label="附件")


class LoadsForm(forms.Form):
    """Loads of the trial run, a line a day. `seen`: what stood before the eyes."""

    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    loads = words_field("运行负荷", max_length=20_000, rows=6, help_text="一行一天：日期 负荷(%) 达标/超标 说明；可从表格直接粘贴")

    def clean_loads(self):
        rows, faults = works.read_loads(self.cleaned_data["loads"])
        if faults:
            raise forms.ValidationError(faults)
        if not rows:
            raise forms.ValidationError("没有可以保存的行。")
        return rows


@require_http_methods(["GET", "HEAD", "POST"])
def acceptance(request, code: str):
    project = _visible(request, code)
    may_write = request.as_of == request.today and works.may_write(request.user, project)
    if request.method == "POST":
        if not may_write:
            raise Http404
        return _write(request, project)
    wanted = request.GET.get("kind", "")
    return _page(request, project, may_write, kind=wanted if wanted in AcceptanceKind.values else "")


def _visible(request, code: str) -> Project:
    scope = permissions.visible_projects(request.user, request.today).select_related("domain")
    return get_object_or_404(scope, code=code, listed_on__lte=request.as_of)


def _write(request, project: Project):
    is_loads = request.POST.get("action") == "loads"
    form = LoadsForm(request.POST) if is_loads else FactForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            if is_loads:
                count = works.take_loads(project=project, by=request.user, rows=form.cleaned_data["loads"], seen=form.cleaned_data["seen"])
                messages.success(request, f"已保存，新增或更正 {count} 天的运行负荷。")
            else:
                typed = dict(form.cleaned_data)
                files, seen = typed.pop("files"), _seen(typed.pop("seen"))
                with transaction.atomic():
                    fact = works.put_fact(project=project, by=request.user, seen=seen, **typed)
                    attachments.keep_all(project=project, files=files, by=request.user, acceptance_fact=fact)
                messages.success(request, f"已登记{fact.get_kind_display()}。")
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        except works.Taken as taken:
            form = _again(request, FactForm, f"{taken.row.pk}:{taken.row.edit_version}", str(taken))
        except services.EditConflict as conflict:
            theirs = "；".join(f"{works.FACT.label(name)}：{value or '空'}" for name, value in conflict.theirs.items())
            sentence = f"刚被他人改动，还没有保存。他人填的是 {theirs}；下面是您填的，再保存即以您的为准。"
            form = _again(request, FactForm, f"{seen[0]}:{conflict.version}" if seen else "", sentence)
        except services.Refused as refusal:
            form = _again(request, LoadsForm, works.loads_seen(project), str(refusal)) if is_loads else form
            if not is_loads:
                form.add_error(None, str(refusal))
        except Unfit as fault:
            form.add_error("files", str(fault))
    if form.errors:
        return _page(request, project, True, status=422, **{"loads_form" if is_loads else "fact_form": form})
    return redirect("acceptance", project.code)


def _seen(text: str) -> tuple[int, int] | None:
    pk, _, version = text.partition(":")
    return (int(pk), int(version)) if version else None


def _again(request, form_class, seen: str, sentence: str):
    """What was typed once more, with what is saved now before the eyes, so that the next save knows it."""
    data = request.POST.copy()
    data["seen"] = seen
    form = form_class(data, request.FILES) if form_class is FactForm else form_class(data)
    form.add_error(None, sentence)
    return form


def _page(request, project: Project, may_write: bool, status: int = 200, kind: str = "", **forms_given):
    day = request.as_of
    proof = works.proofs(day, [project.pk])[project.pk]
    version = project.versions.filter(effective_from__lte=day).order_by("-effective_from").first()
    completed_on = project.completed_on if project.completed_on and project.completed_on <= day else None
    changes = works.section_changes(day, {project.pk: completed_on})[project.pk] if completed_on else []
    initial = {"kind": kind, "on": request.today}
    if fact := proof.facts.get(kind):
        initial |= {
            "seen": f"{fact.pk}:{fact.edit_version}",
            "on": fact.on,
            "doc_number": fact.doc_number,
            "amount_wan": fact.amount_wan,
            "text": fact.text,
        }
    facts = AcceptanceFact.objects.standing().filter(project=project, on__lte=day).prefetch_related("attachments")
    files = {row.pk: [file for file in row.attachments.all() if file.withdrawn_at is None] for row in facts}
    context = {
        "project": project,
        "name": version.name if version else project.code,
        "completed_on": completed_on,
        "steps": [(step, proof.facts.get(step), files.get(getattr(proof.facts.get(step), "pk", None), [])) for step in AcceptanceKind],
        "proof": proof,
        "loads": proof.loads[::-1][:LOADS_SHOWN],
        "changes": changes,
        "may_write": may_write,
        "fact_form": (forms_given.get("fact_form") or FactForm(initial=initial)) if may_write else None,
        "loads_form": (forms_given.get("loads_form") or LoadsForm(initial={"seen": works.loads_seen(project)})) if may_write else None,
        "kind": kind,
        "fault": forms_given.get("fault", ""),
    }
    return render(request, "records/acceptance.html", context, status=status)


@require_POST
def withdraw(request, code: str):
    """Take a step or a load back, with a reason (`fact=` or `load=`)."""
    project = _visible(request, code)
    if not works.may_write(request.user, project):
        raise Http404
    model, kind, key = (LoadReading, works.LOAD, "load") if request.POST.get("load") else (AcceptanceFact, works.FACT, "fact")
    pk = request.POST.get(key, "")
    row = get_object_or_404(model, pk=pk if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0, project=project, withdrawn_at=None)
    try:
        version = request.POST.get("version", "")
        version = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else row.edit_version
        records.withdraw(kind, row=row, by=request.user, version=version, reason=request.POST.get("reason", "")[:200])
    except services.Refused as refusal:
        return _page(request, project, True, status=422, fault=str(refusal))
    messages.success(request, "已撤销，记录保留在留痕里。")
    return redirect("acceptance", code)

"""`/lead/`: the leader's page. One tap decides or gives a problem to a unit; the next one takes it back."""

import dataclasses

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from ledgers import lead, lead_services
from ledgers.lead_services import Undo
from linfen_water.models import Unit
from linfen_water.permissions import is_leader, is_office
from projects.models import Problem
from projects.services import Refused

UNDO = "lead_undo"


@require_safe
def lead_page(request):
    """For leaders, who decide; the office sees what they see."""
    if not (is_leader(request.user) or is_office(request.user)):
        raise Http404
    return _page(request)


def _page(request, status: int = 200, *, fault: str = "", typed: dict | None = None):
    undo = request.session.get(UNDO)
    is_now = request.as_of == request.today
    context = {
        "page": lead.gather(request.as_of),
        "may_decide": is_leader(request.user) and is_now,
        "undo": Problem.objects.filter(pk=undo["problem"], edit_version=undo["version"]).first() if undo and is_now else None,
        "undo_word": undo["was"] if undo else "",
        "fault": fault,
        "typed": typed or {},
    }
    return render(request, "ledgers/lead.html", context, status=status)


@require_POST
def act(request, code: str):
    """Agree, give to a unit, or take the last word back (`action`)."""
    if not is_leader(request.user):
        raise Http404
    problem = get_object_or_404(Problem, code=code)
    try:
        if request.POST.get("action") == "undo":
            return _take_back(request, problem)
        undo = _speak(request, problem)
    except Refused as refusal:
        typed = {"code": code, "text": request.POST.get("text", "")}
        return _page(request, 409, fault=f"{code}：{refusal}", typed=typed)
    request.session[UNDO] = dataclasses.asdict(undo)
    return redirect("lead")


def _speak(request, problem: Problem) -> Undo:
    version, text = _number(request.POST.get("version", "")), request.POST.get("text", "")
    if request.POST.get("action") != "delegate":
        done = lead_services.agree(problem=problem, by=request.user, version=version, text=text)
        messages.success(request, f"{problem.code}：已批示，并记入问题进展。")
        return done
    unit = get_object_or_404(Unit, pk=_number(request.POST.get("unit", "")))
    due_on = lead.due(request.today)
    done = lead_services.delegate(problem=problem, by=request.user, version=version, unit=unit, due_on=due_on, text=text)
    messages.success(request, f"{problem.code}：已交{unit}办理，{due_on} 前办结，已告知。")
    return done


def _take_back(request, problem: Problem):
    undo = request.session.get(UNDO)
    if not undo or undo["problem"] != problem.pk:
        raise Http404
    lead_services.take_back(undo=Undo(**undo), by=request.user)
    del request.session[UNDO]
    messages.success(request, f"{problem.code}：已撤回，恢复原样。")
    return redirect("lead")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

"""`/meetings/`: meetings with what they decided and what of it is not done; a meeting, a decided item, a finding of a weekly check."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ledgers import agenda, meetings, minutes_services
from ledgers.documents import minutes
from ledgers.enums import MeetingKind
from ledgers.meeting_forms import CheckForm, DecidedForm, DecisionForm, MeetingForm, MinutesForm, NoteForm, ReopenMinutesForm
from ledgers.meetings import CHECK, DECISION, MEETING
from linfen_water.permissions import is_county, is_office
from projects import services
from projects.chase_rules import standing
from projects.forms import add_faults
from projects.record_forms import ActForm
from projects.views.records import UNPROCESSABLE, Act, RecordPages, chase_acts

PER_PAGE = 30
CHASED_SHOWN = 12


@require_safe
def meeting_list(request):
    """Meetings, the last first, and above them the decided items that are not done, the latest ones first."""
    kind = request.GET.get("kind", "")
    scope = meetings.visible_meetings(request.user, request.today)
    if request.as_of < request.today:  # today those that are to come are shown, too
        scope = scope.filter(held_on__lte=request.as_of)
    if kind in MeetingKind.values:
        scope = scope.filter(kind=kind)
    page = Paginator(meetings.counted(scope, request.user, request.today, request.as_of), PER_PAGE).get_page(request.GET.get("page"))
    undone = undone_decisions(request)
    context = {
        "page": page,
        "kinds": MeetingKind.choices,
        "kind": kind,
        "undone": [(row, standing(request.as_of, row.due_on, row.answered_on, row.closed_on)) for row in undone[:CHASED_SHOWN]],
        "undone_count": undone.count(),
        "may_add": is_office(request.user) and request.as_of == request.today,
    }
    return render(request, "ledgers/meetings.html", context)


def undone_decisions(request):
    """Decided items that were not done on the day, those with the earliest limit first."""
    day = request.as_of
    undone = Q(closed_on__isnull=True) | Q(closed_on__gt=day)
    found = meetings.visible_decisions(request.user, request.today).filter(undone, meeting__held_on__lte=day)
    return found.select_related("meeting", "lead_unit").order_by("due_on", "pk")


def _writes(typed, row):
    """Nothing by themselves: the services write what these acts do."""
    return {}


CLOSE_MINUTES = Act(
    "close_minutes",
    "纪要定稿",
    ActForm,
    lambda user, row, today: is_office(user) and row.minutes_closed_on is None and row.held_on <= today,
    _writes,
    "纪要已定稿。",
    "primary",
    "定稿后会议和纪要不再改动，生成的文件以定稿时的内容为准；要改须先退回。",
)
REOPEN_MINUTES = Act(
    "reopen_minutes",
    "退回修改纪要",
    ReopenMinutesForm,
    lambda user, row, today: is_office(user) and row.minutes_closed_on is not None,
    _writes,
    "纪要已退回修改。",
    "danger",
)


class MeetingPages(RecordPages):
    kind, form, ledger = MEETING, MeetingForm, "decisions"
    acts = (CLOSE_MINUTES, REOPEN_MINUTES)
    template = "ledgers/meeting.html"
    intro = "先登记会议，再逐条登记议定事项；议定事项办结前一直在催办清单里。"

    @property
    def list_url(self):
        return reverse("meetings")

    def visible(self, user, today):
        return meetings.visible_meetings(user, today)

    def initial(self, request):
        return {"held_on": request.today, "kind": request.GET.get("kind", "")}

    def words(self):
        return {"assemble": "汇集议程", "agenda": "修改议程"}

    def may_edit(self, user, row):
        return is_office(user) and row.minutes_closed_on is None

    def do(self, request, act, row, form):
        {"close_minutes": minutes_services.close, "reopen_minutes": minutes_services.reopen}[act.key](
            meeting=row, by=request.user, **form.cleaned_data
        )

    def context(self, request, row):
        found = meetings.visible_decisions(request.user, request.today).filter(meeting=row)
        found = found.select_related("lead_unit", "project").prefetch_related("assist_units").order_by("pk")
        day = request.as_of
        may_write = is_office(request.user) and day == request.today and row.withdrawn_at is None and row.minutes_closed_on is None
        sees_agenda = not is_county(request.user) and row.withdrawn_at is None  # it tells of all counties
        return {
            "decisions": [(one, standing(day, one.due_on, one.answered_on, one.closed_on)) for one in found],
            "may_decide": may_write,  # what is decided stands in the minutes
            "may_prepare": may_write and row.held_on >= day,
            "sees_agenda": sees_agenda,
            "parts": agenda.sheet(row, is_taken=True) if sees_agenda else [],
            "about": agenda.RECIPES[MeetingKind(row.kind)].about,
            "is_morning": row.kind == MeetingKind.MORNING,
            "decided_form": DecidedForm(prefix="decided", meeting=row) if may_write else None,
            "minutes_form": MinutesForm(initial=minutes_typed(row)) if may_write else None,
            "is_proposed": not _is_entered(row),
            "is_held": row.held_on <= day,
            "is_closed": row.minutes_closed_on is not None and row.minutes_closed_on <= day,
        }


def minutes_typed(row) -> dict:
    """What the form of the minutes starts from: nobody entered as present yet is proposed from the agenda and what was decided."""
    typed = {name: getattr(row, name) for name in (*meetings.ATTENDANCE, "minutes")}
    if not _is_entered(row):
        typed["attended"] = minutes.concerned(row)
    return typed | {"version": row.edit_version}


def _is_entered(row) -> bool:
    """Whether anybody was entered as present, absent or observing."""
    return any(getattr(row, name) for name in meetings.ATTENDANCE)


class DecisionPages(RecordPages):
    kind, form, ledger = DECISION, DecisionForm, "decisions"
    template = "ledgers/decision.html"
    acts = chase_acts(meetings.may_do, lambda user, row: is_office(user))

    def visible(self, user, today):
        return meetings.visible_decisions(user, today).select_related("meeting", "lead_unit__county", "project", "problem")

    def title(self, row):
        return str(row.meeting)

    def initial(self, request):
        about = {"meeting": request.GET.get("meeting", ""), "project": request.GET.get("project", "")}
        return {name: value for name, value in about.items() if value}

    def added_address(self, row):
        return reverse("meeting", args=[row.meeting_id])

    def words(self):
        return {"note": "进展"}

    def context(self, request, row):
        day = request.as_of
        may_note = day == request.today and row.withdrawn_at is None and row.closed_on is None and meetings.may_note(request.user, row)
        return {
            "notes": row.notes.filter(on__lte=day).select_related("by__unit").order_by("-on", "-pk"),
            "note_form": NoteForm() if may_note else None,
        }

    def note(self, request, pk: int):
        """What happened today."""
        row = self.find(request, pk)
        if row.withdrawn_at or not meetings.may_note(request.user, row):
            raise Http404
        form = NoteForm(request.POST)
        if form.is_valid():
            try:
                meetings.add_note(decision=row, by=request.user, text=form.cleaned_data["text"])
            except services.Faulty as refusal:
                add_faults(form, refusal.faults)
        if form.errors:
            return self.page(request, row, UNPROCESSABLE, note_form=form)
        messages.success(request, "已记录进展。")
        return redirect(self.kind.address(row))


class CheckPages(RecordPages):
    kind, form, ledger = CHECK, CheckForm, "notices"
    acts = chase_acts(meetings.may_put_right, lambda user, row: is_office(user), answer="反馈整改情况", close="核实销号")
    intro = "每周检查发现的问题，一条一个；单位在本页反馈整改情况，专班办核实后销号。"

    def visible(self, user, today):
        return meetings.visible_checks(user, today).select_related("unit__county", "project")

    def initial(self, request):
        last = meetings.CheckFinding.objects.standing().order_by("-year", "-issue").first()
        issue = last.issue if last and last.year == request.today.year else 1
        return {"year": request.today.year, "issue": issue, "on": request.today, "project": request.GET.get("project", "")}


meeting_pages, decision_pages, check_pages = MeetingPages(), DecisionPages(), CheckPages()
decision_note = require_POST(decision_pages.note)

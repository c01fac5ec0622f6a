"""Pages of rows that are kept by hand: a new one, one row with its history, editing, actions, withdrawing. Lists are the ledgers."""

import dataclasses
from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linfen_water import clock
from linfen_water.permissions import is_office
from projects import chase_rules, records, services
from projects.forms import add_faults
from projects.record_base import Chased, Record
from projects.record_enums import ChaseState
from projects.record_forms import ActForm, AnswerForm, CloseForm, ReasonForm, RecordForm, ReopenForm, ReturnForm
from projects.records import Kind

OK, UNPROCESSABLE, CONFLICT = 200, 422, 409
WORDS = {"add": "登记", "edit": "修改", "withdraw": "撤销", "keep": "上传附件"}


@dataclasses.dataclass(frozen=True)
class Act:
    """Something that is done about a row: its form, who may and when, and what it writes."""

    key: str
    title: str
    form: type[ActForm]
    may: Callable  # (user, row, today)
    writes: Callable[[dict, Record], dict]  # of what was typed
    done: str
    tone: str = ""
    about: str = ""
    tells: str = ""  # office or units


class RecordPages:
    """All pages of one kind; subclasses say who sees and does what."""

    kind: Kind
    form: type[RecordForm]
    ledger: str  # slug of the ledger that lists the rows
    template = "records/record.html"
    form_template = "records/form.html"
    acts: tuple[Act, ...] = ()
    intro = ""  # above the form

    # ── what subclasses say ──

    def visible(self, user, today):
        raise NotImplementedError

    def may_add(self, user) -> bool:
        return is_office(user)

    def may_edit(self, user, row) -> bool:
        return is_office(user)

    def may_withdraw(self, user, row) -> bool:
        return is_office(user)

    def initial(self, request) -> dict:
        """What the address says a new row is about (`?project=LF-001`)."""
        return {}

    def context(self, request, row) -> dict:
        return {}

    def title(self, row) -> str:
        return str(row)

    def added_address(self, row) -> str:
        return self.kind.address(row)

    # ── addresses ──

    def urls(self, prefix: str) -> list:
        name = self.kind.name
        return [
            path(f"{prefix}new/", require_http_methods(["GET", "HEAD", "POST"])(self.new), name=f"{name}_new"),
            path(f"{prefix}<int:pk>/", require_safe(self.show), name=name),
            path(f"{prefix}<int:pk>/edit/", require_http_methods(["GET", "HEAD", "POST"])(self.edit), name=f"{name}_edit"),
            path(f"{prefix}<int:pk>/act/", require_POST(self.act), name=f"{name}_act"),
            path(f"{prefix}<int:pk>/withdraw/", require_POST(self.withdraw), name=f"{name}_withdraw"),
        ]

    @property
    def list_url(self) -> str:
        return reverse("ledger", args=[self.ledger])

    # ── one row ──

    def find(self, request, pk: int) -> Record:
        """The row, when this person may see it and it held on the day looked at; for others it is not there."""
        row = self.visible(request.user, request.today).filter(pk=pk).first()
        if row is None or self.kind.known_from(row) > request.as_of:
            raise Http404
        return row

    def show(self, request, pk: int):
        return self.page(request, self.find(request, pk))

    def page(self, request, row, status: int = OK, **given):
        day, user = request.as_of, request.user
        is_now, stands = day == request.today, row.withdrawn_at is None
        words = WORDS | {act.key: act.title for act in self.acts} | self.words()
        context = {
            "pages": self,
            "kind": self.kind,
            "row": row,
            "title": self.title(row),
            "details": self.details(row, day),
            "moments": records.history(self.kind, row, day, words),
            "acts": self.offered(request, row, given) if is_now and stands else [],
            "typed": given.get("act", ""),
            "fault": given.get("fault", ""),
            "may_edit": is_now and stands and self.may_edit(user, row),
            "withdrawal": self.withdrawal(request, row, given) if is_now and stands else None,
            "list_url": self.list_url,
            **{f"{what}_url": reverse(f"{self.kind.name}_{what}", args=[row.pk]) for what in ("edit", "act", "withdraw")},
            "standing": standing(row, day) if isinstance(row, Chased) else None,
        }
        return render(request, self.template, context | self.context(request, row) | given, status=status)

    def words(self) -> Mapping[str, str]:
        return {}

    def details(self, row, day) -> list[tuple[str, str]]:
        known = self.kind.known(row, day)
        return [(self.kind.label(name), self.kind.spelled(name, known[name]) or "") for name in self.kind.fields]

    def withdrawal(self, request, row, given) -> ReasonForm | None:
        if not self.may_withdraw(request.user, row):
            return None
        return given.get("withdrawal") or ReasonForm(initial={"version": row.edit_version}, prefix="withdraw")

    # ── writing ──

    def new(self, request):
        if not self.may_add(request.user):
            raise Http404
        about = {"user": request.user, "today": request.today}
        if request.method != "POST":
            return self.form_page(request, self.form(initial=self.initial(request), **about), None)
        form = self.form(request.POST, **about)
        if form.is_valid():
            try:
                row = records.add(self.kind, by=request.user, **form.values)
            except services.Faulty as refusal:
                add_faults(form, refusal.faults)
            else:
                messages.success(request, f"已登记{self.kind.word}。")
                return redirect(self.added_address(row))
        return self.form_page(request, form, None, UNPROCESSABLE)

    def edit(self, request, pk: int):
        row = self.find(request, pk)
        if not self.may_edit(request.user, row) or row.withdrawn_at:
            raise Http404
        about = {"user": request.user, "today": request.today, "instance": row}
        if request.method != "POST":
            return self.form_page(request, self.form(**about), row)
        form = self.form(request.POST, **about)
        if not form.is_valid():
            return self.form_page(request, form, row, UNPROCESSABLE)
        try:
            records.edit(self.kind, row=row, by=request.user, version=form.cleaned_data["version"] or 0, **form.values)
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
            return self.form_page(request, form, row, UNPROCESSABLE)
        except services.EditConflict as conflict:
            merged = {name: value for name, value in conflict.merged.items() if name in form.fields}
            again = self.form(initial=merged | {"version": conflict.version}, **about)
            again.fields["version"].initial = conflict.version
            both = [(self.kind.label(name), conflict.mine[name] or "空", conflict.theirs[name] or "空") for name in conflict.mine]
            return self.form_page(request, again, row, CONFLICT, conflict=both)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
            return self.form_page(request, form, row, CONFLICT)
        messages.success(request, "已保存。")
        return redirect(self.kind.address(row))

    def form_page(self, request, form, row, status: int = OK, **more):
        back = self.kind.address(row) if row else self.list_url
        context = {"pages": self, "kind": self.kind, "form": form, "row": row, "back": back, "intro": self.intro}
        return render(request, self.form_template, context | more, status=status)

    def withdraw(self, request, pk: int):
        row = self.find(request, pk)
        if not self.may_withdraw(request.user, row):
            raise Http404
        form = ReasonForm(request.POST, prefix="withdraw")
        if not form.is_valid():
            return self.page(request, row, UNPROCESSABLE, withdrawal=form)
        try:
            records.withdraw(self.kind, row=row, by=request.user, **form.cleaned_data)
        except services.Refused as refusal:
            return self.page(request, self.find(request, pk), CONFLICT, fault=str(refusal))
        messages.success(request, f"已撤销这条{self.kind.word}，记录保留在留痕里。")
        return redirect(self.list_url)

    # ── actions ──

    def offered(self, request, row, given) -> list[tuple[Act, ActForm]]:
        """What this person may do now, each with its form."""
        shown = []
        for act in self.acts:
            if act.may(request.user, row, request.today):
                again = given.get("form") if given.get("act") == act.key else None
                shown.append((act, again or act.form(initial={"version": row.edit_version}, prefix=act.key)))
        return shown

    def act(self, request, pk: int):
        row = self.find(request, pk)
        act = next((act for act in self.acts if act.key == request.POST.get("action", "")), None)
        if act is None or row.withdrawn_at or not act.may(request.user, row, request.today):
            raise Http404
        form = act.form(request.POST, request.FILES, prefix=act.key)
        if not form.is_valid():
            return self.page(request, row, UNPROCESSABLE, act=act.key, form=form)
        try:
            self.do(request, act, row, form)
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
            return self.page(request, row, UNPROCESSABLE, act=act.key, form=form)
        except services.Refused as refusal:
            found = self.find(request, pk)
            again = act.form(initial=form.cleaned_data | {"version": found.edit_version}, prefix=act.key)
            return self.page(request, found, CONFLICT, act=act.key, form=again, fault=str(refusal))
        messages.success(request, act.done)
        return redirect(self.kind.address(row))

    def do(self, request, act: Act, row, form) -> None:
        arguments, version = form.arguments, form.cleaned_data["version"]
        reason = arguments.pop("reason", "")
        written = records.act(
            self.kind, row=row, by=request.user, version=version, action=act.key, reason=reason, **act.writes(arguments, row)
        )
        text = f"{self.kind.word}{act.title}：{self.kind.subject(written)}"
        if act.tells == "office":
            records.tell_office(self.kind, written, request.user, act.key, text)
        elif act.tells == "units":
            records.tell_units(self.kind, written, request.user, act.key, f"{text}{'；' + reason if reason else ''}")


# ── what a unit must have done: answer, check, close ──


def standing(row: Chased, day) -> chase_rules.Standing:
    return chase_rules.standing(day, row.due_on, row.answered_on, row.closed_on)


def chase_acts(may_answer: Callable, may_check: Callable, *, answer: str = "报请办结", close: str = "核实办结") -> tuple[Act, ...]:
    """Answer, close, return, reopen: `may_answer(user, row)`, `may_check(user, row)`."""

    def state(row, today) -> ChaseState:
        return standing(row, today).state

    def may_answer_now(user, row, today) -> bool:
        return state(row, today) in (ChaseState.OPEN, ChaseState.LATE) and may_answer(user, row)

    def may_close(user, row, today) -> bool:
        return state(row, today) != ChaseState.CLOSED and may_check(user, row)

    def may_return(user, row, today) -> bool:
        return state(row, today) == ChaseState.ANSWERED and may_check(user, row)

    def may_reopen(user, row, today) -> bool:
        return state(row, today) == ChaseState.CLOSED and may_check(user, row)

    def answered(typed, row) -> dict:
        return typed | {"answered_on": clock.today()}

    def closed(typed, row) -> dict:
        return typed | {"closed_on": clock.today()}

    def unanswered(typed, row) -> dict:
        return {"answered_on": None}

    def opened(typed, row) -> dict:
        return {"answered_on": None, "closed_on": None}

    return (
        Act("answer", answer, AnswerForm, may_answer_now, answered, "已反馈，等待核实。", "primary", tells="office"),
        Act("close", close, CloseForm, may_close, closed, "已办结。", "primary", tells="units"),
        Act("return", "退回继续办理", ReturnForm, may_return, unanswered, "已退回。", "danger", tells="units"),
        Act("reopen", "恢复办理", ReopenForm, may_reopen, opened, "已恢复办理。", "danger", tells="units"),
    )

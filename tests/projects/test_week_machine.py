"""Two clerks, a reviewer, the office and the clock do what they like to one project's week: what must hold after every step.

- never two reports that count for one project and week, and at most one draft;
- nothing that was acknowledged is lost: what was submitted last, and neither returned nor superseded, is what counts, as it was typed;
- every change of state has its event in the trail, and the chains verify;
- edit versions of a week only grow.
"""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from linfen_water import clock, trail
from linfen_water.models import TrailEvent, TrailHead
from projects import reports, services, weeks
from projects.enums import DispatchState, WeekState
from projects.models import Dispatch, Project
from tests.factories import THIS_WEEK, TODAY, ProjectFactory, RegionFactory, UserFactory

BEIJING = dt.timezone(dt.timedelta(hours=8))
MOMENTS = ["02-17 07:00", "02-17 09:00", "02-20 18:00", "02-20 18:01", "02-21 17:59", "02-21 18:00", "02-24 09:00"]
PROGRESS = st.integers(min_value=35, max_value=60).map(Decimal)
WORDS = st.sampled_from(["浇筑底板", "安装闸门", ""])
REASON = st.sampled_from(["", "审计核减", "原数误填"])
CLERKS = st.sampled_from(["a", "b"])
WRITERS = st.sampled_from(["a", "b", "office"])


class WeekMachine(RuleBasedStateMachine):
    """One project in one week.

    `pages` is what each person has open: the version that they saw, and the values; `saved` what was saved at that version. After
    a conflict the two differ, and who then chooses the other's value changes nothing of their own: a third person's goes before it.
    """

    @initialize()
    def begin(self):
        self.patch = pytest.MonkeyPatch()
        self.moment = 1
        self.patch.setattr(clock, "now", lambda: dt.datetime.fromisoformat(f"2025-{MOMENTS[self.moment]}").replace(tzinfo=BEIJING))
        self.patch.setattr(clock, "today", lambda: clock.now().date())
        RegionFactory()
        self.project = ProjectFactory(reported=Decimal(40))
        county = self.project.versions.get().county
        self.people = {
            "a": UserFactory(in_county=True, county=county),
            "b": UserFactory(in_county=True, county=county),
            "reviewer": UserFactory(in_department=True, domain=self.project.domain),
            "office": UserFactory(),
        }
        self.pages = dict.fromkeys(("a", "b", "office"))
        self.saved = {}
        self.acknowledged: list[tuple[int, dict]] = []  # (key, values) of what counts or has counted, newest last, returned ones taken out
        self.was_submitted: dict[int, dict] = {}  # everything that ever was handed in, as it was then
        self.last_version = 0
        self.events = 0
        self.changes_of_state = 0
        for name in self.pages:
            self.look(name)

    def teardown(self):
        if hasattr(self, "patch"):
            self.patch.undo()

    def week(self):
        return reports.read_weeks(Project.objects.filter(pk=self.project.pk), THIS_WEEK, TODAY)[0]

    def look(self, who, week=None):
        week = week or self.week()
        self.pages[who] = (week.edit_version, dict(week.current))
        self.saved[who] = dict(week.current)

    @staticmethod
    def values_of(pk):
        return reports.flat(Dispatch.objects.prefetch_related("lines").get(pk=pk))

    # ── what people do ──

    @rule(who=WRITERS)
    def reload(self, who):
        self.look(who)

    @rule(who=WRITERS, progress=PROGRESS, done=WORDS, reason=REASON)
    def save(self, who, progress, done, reason):
        self._save(who, {"physical_progress": progress, "done": done, "reason": reason})

    @rule(who=WRITERS, progress=PROGRESS, reason=REASON)
    def save_and_submit(self, who, progress, reason):
        if draft := self._save(who, {"physical_progress": progress, "reason": reason}):
            self._submit(who, draft)

    @rule(who=WRITERS)
    def submit_as_it_is(self, who):
        if draft := self.week().draft:
            self._submit(who, draft)

    @rule(who=WRITERS)
    def send_the_last_request_again(self, who):
        """A lost answer: the browser repeats what it sent, with the version of then. Nothing new may come of it."""
        last = getattr(self, "sent", {}).get(who)
        if not last:
            return
        before = (Dispatch.objects.count(), TrailEvent.objects.count(), self.week().edit_version)
        version, values, answered = last
        try:
            again = self._call(who, version, values)
        except (services.EditConflict, services.Refused):
            pass
        else:
            assert again.pk == answered or Dispatch.objects.filter(pk=answered).exists() is False or again.state != DispatchState.DRAFT
        if Dispatch.objects.filter(pk=answered).exists():  # a draft that was thrown away may be typed anew
            assert (Dispatch.objects.count(), TrailEvent.objects.count(), self.week().edit_version) == before

    @rule(who=WRITERS)
    def discard(self, who):
        week = self.week()
        if not week.draft:
            return
        try:
            services.discard_draft(dispatch=week.draft, version=self.pages[who][0], by=self.people[who])
        except services.Refused:
            assert self.pages[who][0] != week.edit_version
        else:
            self.last_version = 0 if not week.revisions[:-1] else self.week().edit_version
            self.look(who)

    @rule(reviewer=st.sampled_from(["reviewer", "office"]))
    def accept(self, reviewer):
        live = self.week().live
        if live and live.state == DispatchState.SUBMITTED:
            services.accept_dispatch(dispatch=live, by=self.people[reviewer])
            self.changes_of_state += 1

    @rule(reviewer=st.sampled_from(["reviewer", "office"]))
    def send_back(self, reviewer):
        live = self.week().live
        if live:
            services.return_dispatch(dispatch=live, remark="请核对", by=self.people[reviewer])
            self.changes_of_state += 1
            self.acknowledged = [entry for entry in self.acknowledged if entry[0] != live.pk]

    @rule(reviewer=st.sampled_from(["reviewer", "office"]))
    def send_back_without_a_word(self, reviewer):
        if live := self.week().live:
            with pytest.raises(services.Refused):
                services.return_dispatch(dispatch=live, remark=" ", by=self.people[reviewer])

    @precondition(lambda self: self.moment < len(MOMENTS) - 1)
    @rule()
    def time_passes(self):
        self.moment += 1

    @precondition(lambda self: self.moment == 1 and not Dispatch.objects.filter(week_of=THIS_WEEK).exists())
    @rule(who=WRITERS)
    def come_too_early(self, who):
        self.moment = 0
        with pytest.raises(services.Refused, match="08:00 开放"):
            self._call(who, 0, {"physical_progress": Decimal(45)})
        self.moment = 1

    # ── how ──

    def _call(self, who, version, values):
        return services.save_dispatch(
            project=self.project, week_of=THIS_WEEK, by=self.people[who], version=version, values=values, lines={}
        )

    def _save(self, who, values):
        version, seen = self.pages[who]
        whole = {key: value for key, value in seen.items() if key in reports.FIELDS} | values
        before = self.week()
        try:
            row = self._call(who, version, whole)
        except services.EditConflict as conflict:
            assert version != before.edit_version
            self.pages[who] = (conflict.version, dict(conflict.merged))  # the person now sees both values
            self.saved[who] = dict(before.current)
            return None
        now = self.week()
        if row.state == DispatchState.DRAFT and now.edit_version > before.edit_version:
            for key, value in values.items():
                if value != self.saved[who][key]:
                    assert now.current[key] == value, key  # what was acknowledged is what is saved
        if now.edit_version > before.edit_version:
            self.sent = getattr(self, "sent", {}) | {who: (version, whole, row.pk)}
        self.look(who, now)
        is_seen = not reports.differences(self.pages[who][1], whole)  # the page hands nothing in that its person has not seen
        return row if row.state == DispatchState.DRAFT and is_seen else None

    def _submit(self, who, draft):
        week = self.week()
        known = week.known(clock.today())
        expected = services.rules.check_dispatch(reports.as_report(week.current), known)
        try:
            live = services.submit_dispatch(dispatch=draft, by=self.people[who])
        except services.Faulty as refusal:
            found = refusal.faults
        else:
            found = []
        assert [fault.field for fault in found] == [fault.field for fault in expected]
        if found:
            return
        if week.times.state(clock.now()) == WeekState.LOCKED:
            assert live.reason
        assert live.is_late == (clock.now() > week.times.deadline_at and not any(d.submitted_at and not d.is_late for d in week.revisions))
        self.changes_of_state += 1
        self.acknowledged.append((live.pk, self.values_of(live.pk)))
        self.was_submitted[live.pk] = self.values_of(live.pk)
        self.look(who)

    # ── what must hold ──

    @invariant()
    def one_report_counts_and_one_is_being_written(self):
        rows = Dispatch.objects.filter(project=self.project, week_of=THIS_WEEK)
        assert rows.filter(is_live=True).count() <= 1
        assert rows.filter(state=DispatchState.DRAFT).count() <= 1
        assert sorted(rows.values_list("revision", flat=True)) == list(range(1, rows.count() + 1))

    @invariant()
    def what_was_acknowledged_counts_as_it_was_typed_and_versions_only_grow(self):
        week = self.week()  # read once for both: it is most of the time of this test
        assert week.edit_version >= self.last_version
        self.last_version = week.edit_version
        live = week.live
        if not self.acknowledged:
            assert live is None
            return
        pk, values = self.acknowledged[-1]
        assert live is not None
        assert (live.pk, self.values_of(live.pk)) == (pk, values)

    @invariant()
    def what_was_handed_in_is_never_rewritten(self):
        for pk, values in self.was_submitted.items():
            assert self.values_of(pk) == values

    @invariant()
    def every_change_of_state_has_its_event(self):
        told = TrailEvent.objects.filter(action__in=["dispatch.submit", "dispatch.return", "dispatch.accept"])
        assert told.count() == self.changes_of_state
        assert all(event.by_id for event in told)
        for chain in TrailHead.objects.values_list("chain", flat=True):
            assert trail.verify(chain) is None

    @invariant()
    def drafts_can_be_told_from_the_trail(self):
        """The values of each row follow from the events alone: nothing was written beside the trail."""
        for row in Dispatch.objects.filter(project=self.project, week_of=THIS_WEEK):
            said = {}
            for event in TrailEvent.objects.filter(subject_type="dispatch", subject_id=str(row.pk), action="dispatch.save").order_by("pk"):
                said |= {key: new for key, (_, new) in event.changes.items() if key != "version"}
            now = self.values_of(row.pk)
            assert {key: reports.as_text(now[key]) for key in said} == said
            versions = [
                e.changes["version"] for e in TrailEvent.objects.filter(subject_type="dispatch", subject_id=str(row.pk)).order_by("pk")
            ]
            assert all(new == old + 1 for old, new in versions)
            assert versions == sorted(versions)


class WeekMachineTest(TestCase):
    """Each example in a transaction of its own, rolled back."""

    def test_the_week_holds_whatever_people_do(self):
        run_state_machine_as_test(_InTransaction, settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ))  # fmt: skip


class _InTransaction(WeekMachine):
    """Hypothesis makes a machine for every example: each gets a savepoint that its end rolls back."""

    def __init__(self):
        from django.db import transaction

        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        super().__init__()

    def teardown(self):
        from django.db import transaction

        super().teardown()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)


def test_the_moments_of_the_machine_cover_every_state_of_the_week():
    week = weeks.by_policy(THIS_WEEK, weeks.policy.Values())
    states = {week.state(dt.datetime.fromisoformat(f"2025-{text}").replace(tzinfo=BEIJING)) for text in MOMENTS}
    assert states == set(WeekState)

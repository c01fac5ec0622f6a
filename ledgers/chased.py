"""What ledgers of things to be done by a day share: their states in SQL as in `projects.chase_rules`, columns, totals, conditions."""

import dataclasses
import datetime as dt
from html import escape

import django_filters as filters
from django.db.models import Case, CharField, Count, DateField, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Cast

from ledgers import columns as c
from linfen_water.models import Unit
from linfen_water.pinyin import spelled
from projects.chase_rules import standing
from projects.models import ProjectVersion
from projects.record_base import Chased
from projects.record_enums import ChaseState
from projects.records import Kind

TONES = {ChaseState.LATE: "bad", ChaseState.ANSWERED: "warn", ChaseState.CLOSED: "ok"}
RANKS = [ChaseState.LATE, ChaseState.ANSWERED, ChaseState.OPEN, ChaseState.CLOSED]


def stand(rows: QuerySet, day: dt.date) -> QuerySet:
    """Annotate `state` (SQL twin of `chase_rules.standing`), `rank`, `overdue_since`, `known_closed_on` and `code`, which breaks ties."""
    answered, closed = Q(answered_on__lte=day), Q(closed_on__lte=day)
    is_late = Q(due_on__lt=day)
    done_late = Q(answered_on__lte=day, due_on__lt=F("answered_on")) | (
        ~answered_by(day) & Q(closed_on__lte=day, due_on__lt=F("closed_on"))
    )
    waiting_late = ~answered_by(day) & ~closed_by(day) & is_late
    return rows.annotate(
        code=Cast("pk", CharField()),
        known_closed_on=Case(When(closed, then=F("closed_on")), output_field=DateField()),
        state=Case(
            When(closed, then=Value(ChaseState.CLOSED.value)),
            When(answered, then=Value(ChaseState.ANSWERED.value)),
            When(is_late, then=Value(ChaseState.LATE.value)),
            default=Value(ChaseState.OPEN.value),
            output_field=CharField(),
        ),
        overdue_since=Case(When(done_late | waiting_late, then=F("due_on")), output_field=DateField()),
    ).annotate(rank=Case(*(When(state=state.value, then=place) for place, state in enumerate(RANKS)), output_field=IntegerField()))


def answered_by(day: dt.date) -> Q:
    return Q(answered_on__isnull=False, answered_on__lte=day)


def closed_by(day: dt.date) -> Q:
    return Q(closed_on__isnull=False, closed_on__lte=day)


def cells(kind: Kind, row: Chased, day: dt.date) -> dict:
    """The columns that all of them have."""
    known = kind.known(row, day)
    stands = standing(day, row.due_on, row.answered_on, row.closed_on)
    return {
        "code": f"{row.pk}",
        "url": kind.address(row),
        "due_on": row.due_on,
        "answered_on": known["answered_on"],
        "answer": known["answer"],
        "closed_on": known["closed_on"],
        "closing_basis": known["closing_basis"],
        "state": stands.state,
        "overdue_days": stands.overdue_days,
        "sentence": stands.sentence,
    }


class OpenColumn(c.LedgerColumn):
    """The row's number, leading to its own page."""

    def render(self, value, row):
        return f'<a href="{escape(row["url"])}">{escape(str(value))}</a>'


class ProjectColumn(c.LedgerColumn):
    """A project by its code, leading to its page."""

    def render(self, value, row):
        return f'<a href="{c.project_url(value)}">{escape(value)}</a>' if value else c.MISSING


class StateColumn(c.LedgerColumn):
    is_summed = True

    def render(self, value, row):
        return c.badge(value.label, TONES.get(value, ""), escape(row["sentence"]))

    def value(self, value, row):
        return value.label


class OverdueColumn(c.IntegerColumn):
    """Days past the limit; the earliest limit sorts first."""

    is_summed = True

    def render(self, value, row):
        if not value:
            return c.MISSING if row["due_on"] is None else "0"
        return c.badge(value, "bad" if row["state"] == ChaseState.LATE else "")


class ChasedConditions(filters.FilterSet):
    """How it stands, and words to look for."""

    state = filters.ChoiceFilter(label="状态", choices=[("undone", "未办结"), *ChaseState.choices], method="standing", empty_label="全部")
    searched: tuple[str, ...] = ()
    unit_field = "unit"

    def standing(self, queryset: QuerySet, name: str, state: str) -> QuerySet:
        return queryset.exclude(state=ChaseState.CLOSED) if state == "undone" else queryset.filter(state=state)

    def spelled_like(self, word: str) -> Q:
        """Rows whose unit or project is spelled like it. Units are few: their spelling is not stored."""
        if not word.isascii():
            return Q(pk__in=[])
        units = [pk for pk, name in Unit.objects.order_by().values_list("pk", "name") if word.lower() in spelled(name)]
        projects = ProjectVersion.objects.filter(effective_to=None, spelling__contains=word.lower()).values("project")
        return Q(**{f"{self.unit_field}__in": units}) | Q(project__in=projects)

    def search(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        for word in text.split():
            found = self.spelled_like(word)
            for field in self.searched:
                found |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(found)
        return queryset


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    open: int
    late: int
    answered: int
    closed: int

    @property
    def state(self) -> str:
        return f"办结 {self.closed}"

    @property
    def overdue_days(self) -> str:
        return f"逾期 {self.late}"


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    counts = {state.value: Count("pk", filter=Q(state=state.value)) for state in ChaseState}
    return Totals(count=chosen.count(), **chosen.order_by().aggregate(**counts))


def spoken_totals(sums: Totals) -> str:
    share = c.one_decimal(100 * sums.closed / sums.count) if sums.count else None
    rate = "—" if share is None else f"{share}%（{sums.closed}/{sums.count}）"
    return f"办理中{sums.open}、逾期{sums.late}、待核{sums.answered}、已办结{sums.closed}，办结率 {rate}"

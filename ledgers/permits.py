"""前期手续台账: a row is a permit of a project. SQL chooses and orders; states and days come from `projects.permit_rules`."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

import django_filters as filters
from django.db.models import Case, DateField, F, FilteredRelation, Q, QuerySet, Value, When
from django.db.models.fields import CharField

from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.filters import LedgerFilter
from ledgers.search import spelled_like
from ledgers.tables import LedgerTable
from linfen_water import clock
from linfen_water.models import County, Domain, Unit
from projects import permit_services
from projects.enums import PermitKind, PermitState
from projects.models import Permit, Project
from projects.permissions import visible_projects

TONES = {
    PermitState.NOT_NEEDED: "",
    PermitState.NOT_SUBMITTED: "warn",
    PermitState.IN_PROGRESS: "warn",
    PermitState.OBTAINED: "ok",
}


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class SheetColumn(c.LedgerColumn):
    """The project, leading to its sheet of permits."""

    def render(self, value, row):
        return f'<a href="{c.project_url(row["code"])}permits/">{c.escape(str(value))}</a>'


class StateColumn(c.LedgerColumn):
    def render(self, value, row):
        return c.badge(value.label, TONES[value])

    def value(self, value, row):
        return value.label


class RequiredColumn(c.LedgerColumn):
    def render(self, value, row):
        return "是" if value else "<i>否</i>"

    def value(self, value, row):
        return "是" if value else "否"


class OverdueColumn(c.IntegerColumn):
    """逾期: working days past the promise; of a finished paper, those by which it came late."""

    def render(self, value, row):
        if not value:
            return c.MISSING if row["due_on"] is None else "否"
        return c.badge(value, "" if row["state"] == PermitState.OBTAINED else "bad")

    def value(self, value, row):
        return value if row["due_on"] is not None else None


class PermitTable(LedgerTable):
    """前期手续台账."""

    details = ("required", "promised_workdays", "doc_number", "valid_until", "parallel_group", "helper_post")

    code = SheetColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = SheetColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    kind = c.LedgerColumn("事项", sort="kind", group="手续", width=22, css="medium")
    required = RequiredColumn("是否需要", sort="is_required", group="手续", width=9, css="nowrap")
    state = StateColumn("状态", sort="state", group="手续", is_computed=True, width=9, css="nowrap")
    authority = c.LedgerColumn("受理机关", sort="authority__position", group="手续", width=22, css="medium")
    submitted_on = c.DateColumn("报送日", sort="known_submitted_on", group="办理", width=11)
    promised_workdays = c.IntegerColumn("承诺时限（工作日）", sort="promised_workdays", group="办理", width=9)
    due_on = c.DateColumn("应办结日", group="办理", is_computed=True, width=11)
    obtained_on = c.DateColumn("办结日", sort="known_obtained_on", group="办理", width=11)
    overdue = OverdueColumn("逾期（工作日）", group="办理", is_computed=True, width=9)
    doc_number = c.LedgerColumn("文号", group="批复", width=18, css="medium")
    valid_until = c.DateColumn("有效期至", sort="known_valid_until", group="批复", width=11)
    note = c.ClampedColumn("卡点说明", group="推进", width=34, css="wide")
    parallel_group = c.LedgerColumn("并联组", sort="parallel_group", group="推进", width=9, css="nowrap")
    helper_post = c.LedgerColumn("帮办人", sort="helper_post", group="推进", width=16, css="nowrap")


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def rows(day: dt.date, user=None) -> QuerySet:
    """Permits of the projects on the list on `day` that `user` may read (None: all, for commands)."""
    scope = Project.objects.all() if user is None else visible_projects(user, clock.today())
    versions = Q(project__versions__effective_from__lte=day)
    versions &= Q(project__versions__effective_to__isnull=True) | Q(project__versions__effective_to__gt=day)
    is_obtained, is_submitted = Q(obtained_on__lte=day), Q(submitted_on__lte=day)
    return (
        Permit.objects.filter(project__in=scope.as_of(day).order_by().values("pk"))
        .annotate(
            v=FilteredRelation("project__versions", condition=versions),
            code=F("project__code"),
            known_submitted_on=Case(When(is_submitted, then=F("submitted_on")), output_field=DateField()),
            known_obtained_on=Case(When(is_obtained, then=F("obtained_on")), output_field=DateField()),
            known_valid_until=Case(When(is_obtained, then=F("valid_until")), output_field=DateField()),
            state=Case(  # SQL twin of rules.permit_state
                When(is_required=False, then=Value(PermitState.NOT_NEEDED.value)),
                When(is_obtained, then=Value(PermitState.OBTAINED.value)),
                When(is_submitted, then=Value(PermitState.IN_PROGRESS.value)),
                default=Value(PermitState.NOT_SUBMITTED.value),
                output_field=CharField(),
            ),
        )
        .order_by("code", "pk")
    )


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The permits with the keys `chosen`, in that order. Two queries for any number."""
    chosen = list(chosen)
    found = {permit.pk: permit for permit in Permit.objects.filter(pk__in=chosen).select_related("authority", "project")}
    keys = {permit.project_id for permit in found.values()}
    about = {row["pk"]: row for row in Project.objects.filter(pk__in=keys).as_of(day).values("pk", "v__name", "v__county__name")}
    return [_row(found[pk], about[found[pk].project_id], day) for pk in chosen if pk in found and found[pk].project_id in about]


def _row(permit: Permit, about: dict, day: dt.date) -> dict:
    paper = permit_services.paper_of(permit).known_by(day)
    return {
        "code": permit.project.code,
        "name": about["v__name"],
        "county": about["v__county__name"],
        "kind": PermitKind(permit.kind).label,
        "required": paper.is_required,
        "state": paper.state(day),
        "authority": paper.authority or None,
        "submitted_on": paper.submitted_on,
        "promised_workdays": paper.promised_workdays,
        "due_on": paper.due_on,
        "obtained_on": paper.obtained_on,
        "overdue": paper.overdue_workdays(day),
        "doc_number": paper.doc_number,
        "valid_until": paper.valid_until,
        "note": paper.note,
        "parallel_group": paper.parallel_group,
        "helper_post": paper.helper_post,
    }


@dataclasses.dataclass(frozen=True)
class Totals:
    """How many permits stand how."""

    count: int
    required: int
    in_progress: int
    not_submitted: int
    obtained: int


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    states = list(chosen.order_by().values_list("state", flat=True))
    counts = {state: states.count(state) for state in PermitState.values}
    return Totals(
        count=len(states),
        required=len(states) - counts[PermitState.NOT_NEEDED],
        in_progress=counts[PermitState.IN_PROGRESS],
        not_submitted=counts[PermitState.NOT_SUBMITTED],
        obtained=counts[PermitState.OBTAINED],
    )


def spoken_totals(sums: Totals) -> str:
    return f"需要办理{sums.required}项：已办结{sums.obtained}、办理中{sums.in_progress}、未办理{sums.not_submitted}"


NOTES = [
    "状态由日期得出：有办结日为已办结，只有报送日为办理中，都没有为未办理，不需要的为无办理项。",
    "应办结日＝报送日加承诺时限，按工作日计（扣除法定节假日，计调休上班日）；逾期为超过应办结日的工作日数，已办结的算到办结日。",
]


def notes(chosen) -> list[str]:
    return NOTES


class PermitFilter(LedgerFilter):
    """前期手续台账."""

    q = filters.CharFilter(label="查找", method="search", max_length=60)
    county = KeptChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = KeptChoiceFilter(
        label="领域", field_name="project__domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部"
    )
    kind = filters.ChoiceFilter(label="事项", choices=PermitKind.choices, empty_label="全部")
    state = filters.ChoiceFilter(label="状态", choices=PermitState.choices, empty_label="全部")
    authority = KeptChoiceFilter(
        label="受理机关",
        queryset=Unit.objects.filter(pk__in=Permit.objects.filter(authority__isnull=False).order_by().values("authority")),
        to_field_name="code",
        empty_label="全部",
    )
    only = filters.ChoiceFilter(
        label="只看",
        choices=[("missing", "未办结"), ("late", "办理中且逾期"), ("lapsed", "已过有效期"), ("grouped", "已编并联组")],
        method="only_those",
        empty_label="全部",
    )

    def search(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        """Every word must be found in the code, the project's name or the number of the paper."""
        for word in text.split():
            found = Q(code__icontains=word) | Q(v__name__icontains=word) | Q(doc_number__icontains=word)
            queryset = queryset.filter(found | spelled_like("v__spelling", word))
        return queryset

    def only_those(self, queryset: QuerySet, name: str, what: str) -> QuerySet:
        """What SQL cannot count, working days, is found first and chosen by key."""
        if what == "missing":
            return queryset.filter(state__in=[PermitState.NOT_SUBMITTED, PermitState.IN_PROGRESS])
        if what == "lapsed":
            return queryset.filter(known_valid_until__lt=self.day)
        if what == "grouped":
            return queryset.exclude(parallel_group="")
        under_way = queryset.filter(state=PermitState.IN_PROGRESS, promised_workdays__isnull=False).select_related("authority")
        late = [permit.pk for permit in under_way if permit_services.paper_of(permit).known_by(self.day).overdue_workdays(self.day)]
        return queryset.filter(pk__in=late)

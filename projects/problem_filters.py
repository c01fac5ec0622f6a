"""What the list of problems and its ledger can be narrowed by. The address carries it."""

import datetime as dt

import django_filters as filters
from django.db.models import Q, QuerySet

from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Unit
from projects.enums import HelpLevel, ProblemCategory, ProblemState
from projects.problem_reports import CLOSED_RANK, LATE_RANK, STATES

OPEN = "open"


class ProblemConditions(filters.FilterSet):
    """Conditions over `problem_reports.problems_on`; who uses them says the `day`."""

    day: dt.date

    q = filters.CharFilter(label="查找", method="search", max_length=60)
    county = filters.ModelChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = filters.ModelChoiceFilter(
        label="领域", field_name="project__domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部"
    )
    category = filters.ChoiceFilter(label="类别", choices=ProblemCategory.choices, empty_label="全部")
    level = filters.ChoiceFilter(
        label="级别", field_name="level_then", choices=[(str(level.value), level.label) for level in HelpLevel], empty_label="全部"
    )
    state = filters.ChoiceFilter(label="状态", choices=[(OPEN, "未销号"), *ProblemState.choices], method="in_state", empty_label="全部")
    overdue = filters.ChoiceFilter(
        label="期限",
        choices=[("any", "超期（含应升级）"), ("up", "应升级"), ("limit", "超整改时限"), ("none", "未定时限")],
        method="past_limit",
        empty_label="全部",
    )
    handler = filters.ModelChoiceFilter(
        label="承办单位", queryset=Unit.objects.exclude(kind=UnitKind.COMPANY), to_field_name="code", empty_label="全部"
    )

    def search(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        """Every word must be found in the code, the description, the measures or the project."""
        for word in text.split():
            queryset = queryset.filter(
                Q(code__icontains=word)
                | Q(description__icontains=word)
                | Q(measures__icontains=word)
                | Q(project__code__icontains=word)
                | Q(v__name__icontains=word)
                | (Q(v__spelling__contains=word.lower()) if word.isascii() else Q())
            )
        return queryset

    def in_state(self, queryset: QuerySet, name: str, state: str) -> QuerySet:
        if state == OPEN:
            return queryset.exclude(rank=CLOSED_RANK)
        return queryset.filter(state_place=STATES.index(ProblemState(state)))

    def past_limit(self, queryset: QuerySet, name: str, what: str) -> QuerySet:
        return {
            "any": queryset.filter(rank=LATE_RANK),
            "up": queryset.filter(is_step_over=1, level_then__lt=HelpLevel.PROVINCE),
            "limit": queryset.filter(is_overdue=1),
            "none": queryset.filter(due_on=None).exclude(rank=CLOSED_RANK),
        }[what]


class ProblemFilter(ProblemConditions):
    """Of the list `/problems/`."""

    def __init__(self, *args, day: dt.date, **kwargs):
        self.day = day
        super().__init__(*args, **kwargs)

"""What ledgers whose rows belong to projects share: the version in force on the day, the project's columns and conditions."""

import datetime as dt
from collections.abc import Iterable

import django_filters as filters
from django.db.models import F, FilteredRelation, Q, QuerySet

from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.search import spelled_like
from linfen_water import clock
from linfen_water.models import County, Domain
from projects.models import Project
from projects.permissions import visible_projects


def listed(day: dt.date, user=None) -> QuerySet:
    """Projects on the list on `day` that `user` may read (None: all, for commands)."""
    scope = Project.objects.all() if user is None else visible_projects(user, clock.today())
    return scope.as_of(day)


def of_listed(rows: QuerySet, day: dt.date, user=None) -> QuerySet:
    """Rows of those projects, with `v` (the version in force) and `project_code`."""
    versions = Q(project__versions__effective_from__lte=day)
    versions &= Q(project__versions__effective_to__isnull=True) | Q(project__versions__effective_to__gt=day)
    return rows.filter(project__in=listed(day, user).order_by().values("pk")).annotate(
        v=FilteredRelation("project__versions", condition=versions), project_code=F("project__code")
    )


def about(day: dt.date, keys: Iterable[int]) -> dict[int, dict]:
    """`{project: {"code", "name", "county", "domain"}}` of the projects with these keys, as of `day`. One query."""
    rows = Project.objects.filter(pk__in=set(keys)).as_of(day)
    names = ("pk", "code", "v__name", "v__county__name", "domain__name")
    return {
        pk: {"project_code": code, "name": name, "county": county, "domain": domain}
        for pk, code, name, county, domain in rows.values_list(*names)
    }


class CodeColumn(c.LedgerColumn):
    """A project's code, leading to its page."""

    def render(self, value, row):
        return f'<a href="{c.project_url(value)}">{c.escape(value)}</a>' if value else c.MISSING


class UrlColumn(c.LedgerColumn):
    """Text that leads to where the row is kept (`row["url"]`)."""

    def render(self, value, row):
        return f'<a href="{c.escape(row["url"])}">{c.escape(str(value))}</a>' if value not in (None, "") else c.MISSING


class ProjectConditions(filters.FilterSet):
    """Words, county and domain of the project."""

    q = filters.CharFilter(label="查找", method="of_words", max_length=60)
    county = KeptChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = KeptChoiceFilter(label="领域", method="of_domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    words = ("project__code", "v__name")  # fields that are searched
    domain_field = "project__domain"

    def of_words(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        for word in text.split():
            found = spelled_like("v__spelling", word)
            for field in self.words:
                found |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(found)
        return queryset

    def of_domain(self, queryset: QuerySet, name: str, domain: Domain) -> QuerySet:
        return queryset.filter(**{self.domain_field: domain})

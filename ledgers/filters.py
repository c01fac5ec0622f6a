"""What a ledger can be narrowed by. The address carries it, so a filtered ledger can be sent to a colleague or counted on `/`."""

import datetime as dt
import functools
from decimal import Decimal

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from ledgers.choices import KeptChoiceFilter
from ledgers.master import overdue_permits
from ledgers.rows import Rows
from ledgers.search import spelled_like
from linfen_water import policy
from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Unit
from projects.enums import Risk, Stage
from projects.facts import silent
from projects.models import Permit

HAIR = 1e-6  # the database reckons with floats: a lag of exactly the limit comes out so little beside it


def spoken(form: forms.Form) -> list[str]:
    """What a form chooses, in words: `["县（市、区）：洪洞县"]`."""
    if not form.is_valid():
        return []
    chosen = ((form.fields[name], value) for name, value in form.cleaned_data.items())
    return [f"{field.label}：{_spoken(field, value)}" for field, value in chosen if value not in (None, "", [])]


NOT_OFFERED = "“%(value)s”不在可选之列，请从列表中选择。"
FOREIGN = tuple(kind.default_error_messages["invalid_choice"] for kind in (forms.ChoiceField, forms.ModelChoiceField))


def word_choices(form: forms.Form) -> None:
    """Let a choice that is not offered be told by its value; fields with words of their own keep them."""
    for field in form.fields.values():
        if field.error_messages.get("invalid_choice") in FOREIGN:
            field.error_messages["invalid_choice"] = NOT_OFFERED


def refuse_turned_ends(form: forms.Form) -> None:
    """A range whose end lies before its start finds nothing: say so."""
    for name in [name for name in form.fields if name.endswith("_to")]:
        start = name.removesuffix("_to") + "_from"
        low, high = form.cleaned_data.get(start), form.cleaned_data.get(name)
        if low not in (None, "") and high not in (None, "") and low > high:
            word = "小" if isinstance(high, Decimal) else "早"
            form.add_error(name, f"不能{word}于“{form.fields[start].label}”（{low}）。")


def faults(form: forms.Form) -> list[str]:
    """What is wrong with a form's conditions, each with the condition's name: `["县（市、区）：“zz”不在可选之列，请从列表中选择。"]`."""
    labels = {name: f"{field.label}：" for name, field in form.fields.items()}
    return [f"{labels.get(name, '')}{sentence}" for name, sentences in form.errors.items() for sentence in sentences]


class ConditionsForm(forms.Form):
    """The conditions of a ledger as the address says them."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        word_choices(self)

    def clean(self):
        refuse_turned_ends(self)
        return super().clean()


class LedgerFilter(filters.FilterSet):
    """A filter that knows the day its ledger speaks of."""

    class Meta:
        form = ConditionsForm

    folded: tuple[str, ...] = ()  # conditions that wait behind 更多筛选条件

    def __init__(self, *args, day: dt.date, **kwargs):
        self.day = day
        super().__init__(*args, **kwargs)

    @property
    def faults(self) -> list[str]:
        return faults(self.form)

    @property
    def spoken(self) -> list[str]:
        """What is chosen, in words, for the page and the head of the workbook."""
        return spoken(self.form)

    @property
    def is_narrowed(self) -> bool:
        """Whether the person chose anything."""
        return bool(self.spoken)


class RowsFilter:
    """The same door for rows that rules compute: `queryset` is what the ledger's `rows` gave, `qs` the `Rows` chosen of it."""

    folded: tuple[str, ...] = ()
    form_class: type[forms.Form]  # takes `source`, what the ledger's `rows` gave, beside the address

    def __init__(self, data, *, queryset, day: dt.date):
        self.queryset, self.day = queryset, day
        self.form = self.form_class(data, source=queryset)
        word_choices(self.form)

    def is_valid(self) -> bool:
        return self.form.is_valid()

    @functools.cached_property
    def qs(self) -> Rows:
        """The rows chosen, read once; none when the address is wrong."""
        return self.choose(**self.form.cleaned_data) if self.is_valid() else self.queryset.none()

    def choose(self, **chosen) -> Rows:
        raise NotImplementedError

    @property
    def faults(self) -> list[str]:
        return faults(self.form)

    @property
    def spoken(self) -> list[str]:
        return spoken(self.form)

    @property
    def is_narrowed(self) -> bool:
        return bool(spoken(self.form))


def _spoken(field: forms.Field, value) -> str:
    if isinstance(field, forms.ModelChoiceField):
        return str(value)
    return str(dict(getattr(field, "choices", ())).get(value, value))


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


# Dates of a project that can be narrowed from both ends.
DATES = [
    ("baseline_finish_on", "基线完工", "v__baseline_finish_on"),
    ("baseline_start_on", "基线开工", "v__baseline_start_on"),
    ("forecast_start_on", "预计开工", "forecast_start_on"),
    ("forecast_finish_on", "预计完工", "forecast_finish_on"),
    ("started_on", "实际开工", "known_start_on"),
    ("completed_on", "实际完工", "known_completion_on"),
    ("updated_on", "更新周", "week_of"),
]


def at_risk(risk: str, thresholds: policy.Values) -> Q:
    """SQL twin of `rules.risk` after `with_progress`; "late" is behind or far behind."""
    unfinished = ~Q(stage=Stage.FINISHED)
    behind = unfinished & Q(lag__gte=thresholds.behind_points - HAIR)
    far = unfinished & Q(lag__gt=thresholds.far_behind_points + HAIR)
    return {
        "late": behind,
        Risk.UNREPORTED: unfinished & Q(lag__isnull=True),
        Risk.FAR_BEHIND: far,
        Risk.BEHIND: behind & Q(lag__lte=thresholds.far_behind_points + HAIR),
        Risk.NORMAL: Q(stage=Stage.FINISHED) | Q(lag__lt=thresholds.behind_points - HAIR),
    }[risk]


class ProjectFilter(LedgerFilter):
    """工程总台账."""

    q = filters.CharFilter(label="查找", method="search", max_length=60)
    county = KeptChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = KeptChoiceFilter(label="领域", field_name="domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    unit = KeptChoiceFilter(
        label="单位", method="of_unit", queryset=Unit.objects.exclude(kind=UnitKind.OFFICE), to_field_name="code", empty_label="全部"
    )
    stage = filters.ChoiceFilter(label="状态", choices=[(str(stage.value), stage.label) for stage in Stage], empty_label="全部")
    risk = filters.ChoiceFilter(label="风险", choices=[("late", "滞后和严重滞后"), *Risk.choices], method="at_risk", empty_label="全部")
    has = filters.ChoiceFilter(
        label="卡点",
        choices=[("permit", "有未办结手续"), ("late_permit", "有超时手续"), ("problem", "有未销号问题"), ("silent", "连续无变化")],
        method="having",
        empty_label="全部",
    )
    started_from = filters.DateFilter(label="开工自", field_name="known_start_on", lookup_expr="gte", widget=date_input())
    completed_from = filters.DateFilter(label="完工自", field_name="known_completion_on", lookup_expr="gte", widget=date_input())
    date = filters.ChoiceFilter(label="按日期", choices=[(name, label) for name, label, _ in DATES], method="by_date", empty_label="不限")
    date_from = filters.DateFilter(label="日期自", method="by_date", widget=date_input())
    date_to = filters.DateFilter(label="日期至", method="by_date", widget=date_input())
    lag_from = filters.NumberFilter(label="滞后不少于（百分点）", method="by_lag", min_value=-100, max_value=100)
    lag_to = filters.NumberFilter(label="滞后不多于（百分点）", method="by_lag", min_value=-100, max_value=100)

    folded = ("unit", "started_from", "completed_from", "date", "date_from", "date_to", "lag_from", "lag_to")

    def by_date(self, queryset: QuerySet, name: str, value) -> QuerySet:
        """Two ends of one date: which one is chosen apart (the baseline's finish by itself)."""
        if name == "date":
            return queryset
        chosen = self.form.cleaned_data.get("date") or DATES[0][0]
        field = next(field for key, _, field in DATES if key == chosen)
        return queryset.filter(**{f"{field}__{'gte' if name == 'date_from' else 'lte'}": value})

    def by_lag(self, queryset: QuerySet, name: str, points) -> QuerySet:
        """Unfinished projects by their percentage points behind plan."""
        ends = Q(lag__gte=float(points) - HAIR) if name == "lag_from" else Q(lag__lte=float(points) + HAIR)
        return queryset.filter(ends & ~Q(stage=Stage.FINISHED))

    def search(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        """Every word must be found in the code, the number, the name (also as it is spelled) or the owner."""
        for word in text.split():
            found = Q(code__icontains=word) | Q(v__name__icontains=word) | Q(v__owner__icontains=word) | spelled_like("v__spelling", word)
            if word.isascii() and word.isdigit() and len(word) <= 5:
                found |= Q(number=int(word))
            queryset = queryset.filter(found)
        return queryset

    def of_unit(self, queryset: QuerySet, name: str, unit: Unit) -> QuerySet:
        return queryset.filter(Q(v__lead_unit=unit) | Q(v__responsible_unit=unit))

    def at_risk(self, queryset: QuerySet, name: str, risk: str) -> QuerySet:
        return queryset.filter(at_risk(risk, policy.values_on(self.day)))

    def having(self, queryset: QuerySet, name: str, what: str) -> QuerySet:
        """What SQL cannot count, working days and two days' facts compared, is found first and chosen by key."""
        if what == "permit":
            return queryset.filter(missing_permits__gt=0)
        if what == "problem":
            return queryset.filter(open_problems__gt=0)
        if what == "late_permit":
            return queryset.filter(pk__in={permit.project_id for _, permit in overdue_permits(Permit.objects.all(), self.day)})
        weeks = policy.values_on(self.day).silent_weeks
        return queryset.filter(pk__in=[f.pk for f in silent(self.day, weeks)])

"""What the page of the sections can be narrowed by, and how one gets from one published period to another; the address carries it."""

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django import forms

from linfen_water.models import County
from monitoring.enums import Change, Level, PeriodKind, WaterClass
from monitoring.models import River
from monitoring.periods import Period, read
from monitoring.reports import SectionRow, latest_month

ONLY = {
    "missed": ("未达标", lambda row: row.meets_target is False),
    "over": ("超Ⅲ类", lambda row: row.is_evaluated and row.water_class > WaterClass.III),
    "worse": ("环比变差", lambda row: row.month_on_month is not None and row.month_on_month < Change.NONE),
    "worse_than_last_year": ("同比变差", lambda row: row.year_on_year is not None and row.year_on_year < Change.NONE),
    "left_out": ("未参评", lambda row: not row.is_evaluated),
}
NARROWING = ("level", "river", "county", "only")
KINDS = {PeriodKind.MONTH: "月", PeriodKind.QUARTER: "季", PeriodKind.TO_DATE: "1—N月累计", PeriodKind.YEAR: "年"}
ON_A_RIVER = {"section__isnull": False}  # only what has a section can be chosen


class SectionsForm(forms.Form):
    """Narrow the table; every field may be left out."""

    level = forms.ChoiceField(label="级别", required=False, choices=[("", "全部"), *Level.choices])
    river = forms.ModelChoiceField(
        label="河流", required=False, queryset=River.objects.filter(**ON_A_RIVER).distinct(), to_field_name="name", empty_label="全部"
    )
    county = forms.ModelChoiceField(
        label="责任县（市、区）",
        required=False,
        queryset=County.objects.filter(**ON_A_RIVER).distinct(),
        to_field_name="code",
        empty_label="全部",
    )
    only = forms.ChoiceField(label="只看", required=False, choices=[("", "全部"), *((key, words) for key, (words, _) in ONLY.items())])

    def choose(self, rows: Sequence[SectionRow]) -> list[SectionRow]:
        """Those of `rows` that are asked for; none when the form is not valid."""
        if not self.is_valid():
            return []
        asked = self.cleaned_data
        return [
            row
            for row in rows
            if (not asked["level"] or row.level == asked["level"])
            and (not asked["river"] or row.river == asked["river"].name)
            and (not asked["county"] or row.county_code == asked["county"].code)
            and (not asked["only"] or ONLY[asked["only"]][1](row))
        ]

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in NARROWING)

    @property
    def faults(self) -> list[str]:
        """One sentence a field that is wrong: which, and how to mend it."""
        return [f"“{self.fields[name].label}”：{'；'.join(errors)}" for name, errors in self.errors.items()]


# ── The period ───────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of period and the published one that a click on it leads to; None while there is none."""

    label: str
    period: Period | None
    is_here: bool


@dataclasses.dataclass(frozen=True)
class Chooser:
    """The period that is shown among those published (the last first)."""

    period: Period
    published: Sequence[Period]

    @property
    def is_published(self) -> bool:
        return self.period in self.published

    @property
    def options(self) -> list[Period]:
        """Published periods of the same kind, the last first."""
        return [period for period in self.published if period.kind == self.period.kind]

    @property
    def years(self) -> list[tuple[int, list[Period]]]:
        """The options by year."""
        return [(year, [p for p in self.options if p.year == year]) for year in dict.fromkeys(p.year for p in self.options)]

    @property
    def previous(self) -> Period | None:
        return next((p for p in self.options if p.ends_on < self.period.ends_on), None)

    @property
    def next(self) -> Period | None:
        return next((p for p in reversed(self.options) if p.ends_on > self.period.ends_on), None)

    @property
    def kinds(self) -> list[Kind]:
        return [Kind(label, self._of_kind(kind), kind == self.period.kind) for kind, label in KINDS.items()]

    def _of_kind(self, kind: str) -> Period | None:
        """The period of `kind` around the end of the one shown, else the last one before it, else the last of all."""
        same = [p for p in self.published if p.kind == kind]
        end = self.period.ends_on
        around = [p for p in same if p.starts_on <= end <= p.ends_on]
        return next(iter([*reversed(around), *(p for p in same if p.ends_on <= end), *same]), None)

    @property
    def months(self) -> list[Period]:
        """The published months within the period, the first first: what the ledger of sections has of it."""
        return sorted(
            p for p in self.published if p.kind == PeriodKind.MONTH and self.period.starts_on <= p.starts_on <= self.period.ends_on
        )


def choose_period(text: str, published: Sequence[Period], day: dt.date) -> tuple[Period | None, str]:
    """The period that `text` names, by default the last month published; with what is wrong with `text`, if anything.

    None when nothing is published and nothing is named.
    """
    fault = ""
    if text:
        try:
            return read(text), ""
        except ValueError as error:
            fault = str(error)
    latest = latest_month(day)
    months = [p for p in published if p.kind == PeriodKind.MONTH]
    chosen = [p for p in months if p.starts_on == latest] or months or list(published)
    return next(iter(chosen), None), fault

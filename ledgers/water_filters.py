"""What 断面水质台账 can be narrowed by. Without months chosen it shows the last one published."""

from django import forms

from ledgers.filters import RowsFilter, spoken
from ledgers.rows import Rows
from ledgers.water import Source
from linfen_water.models import County
from monitoring.enums import Change, Level, WaterClass
from monitoring.models import River
from monitoring.periods import Period
from monitoring.reports import SectionRow

ONLY = {
    "missed": ("未达标", lambda row: row.meets_target is False),
    "over": ("超Ⅲ类", lambda row: row.is_evaluated and row.water_class > WaterClass.III),
    "worse": ("环比变差", lambda row: row.month_on_month is not None and row.month_on_month < Change.NONE),
    "worse_than_last_year": ("同比变差", lambda row: row.year_on_year is not None and row.year_on_year < Change.NONE),
    "left_out": ("未参评", lambda row: not row.is_evaluated),
}


class SectionForm(forms.Form):
    q = forms.CharField(label="查找", required=False, max_length=60)
    month_from = forms.ChoiceField(label="月份自", required=False)
    month_to = forms.ChoiceField(label="月份至", required=False)
    level = forms.ChoiceField(label="级别", required=False, choices=[("", "全部"), *Level.choices])
    river = forms.ModelChoiceField(label="河流", required=False, queryset=River.objects.all(), to_field_name="name", empty_label="全部")
    county = forms.ModelChoiceField(
        label="责任县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    water_class = forms.ChoiceField(
        label="类别", required=False, choices=[("", "全部"), *((str(c.value), f"{c.label}类") for c in WaterClass)]
    )
    only = forms.ChoiceField(label="只看", required=False, choices=[("", "全部"), *((key, words) for key, (words, _) in ONLY.items())])

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)
        self.source = source
        months = [(str(period), period.label) for period in source.months]
        latest = f"最近一期（{source.latest.label}）" if source.latest else "尚无已公布的月份"
        self.fields["month_to"].choices = [("", latest), *months]
        self.fields["month_from"].choices = [("", "同“月份至”"), *months]
        for name in ("month_from", "month_to"):
            self.fields[name].error_messages["invalid_choice"] = "“%(value)s”没有截至当日已公布的评价结果，请从列表中选择月份。"

    def clean(self):
        first, last = self.cleaned_data.get("month_from"), self.cleaned_data.get("month_to")
        if first and not self.has_error("month_to") and first > (last or str(self.source.latest)):
            self.add_error("month_from", "起始月晚于截止月，请改正其中一个。")
        return self.cleaned_data


class SectionFilter(RowsFilter):
    """断面水质台账."""

    form_class = SectionForm

    def choose(self, *, q, month_from, month_to, level, river, county, water_class, only) -> Rows:
        kept = []
        for row in self.queryset.read(self.months):
            section: SectionRow = row["row"]
            if (
                (not level or section.level == level)
                and (not river or section.river == river.name)
                and (not county or section.county_code == county.code)
                and (not water_class or section.water_class == int(water_class))
                and (not only or ONLY[only][1](section))
                and all(word in f"{section.name} {section.river} {section.county} {row['note']}" for word in q.split())
            ):
                kept.append(row)
        return Rows(kept)

    @property
    def months(self) -> list[Period]:
        """From the first month chosen to the last; the last defaults to the latest published, the first to the last."""
        if not self.queryset.latest:
            return []
        chosen = self.form.cleaned_data
        last = chosen["month_to"] or str(self.queryset.latest)
        first = chosen["month_from"] or last
        return [period for period in self.queryset.months if first <= str(period) <= last]

    @property
    def spoken(self) -> list[str]:
        """The months always, so that a workbook says what it holds; then what was chosen."""
        if not self.form.is_valid():
            return []
        months = sorted(self.months)
        named = [f"月份：{months[0].label}" + (f"—{months[-1].label}" if len(months) > 1 else "")] if months else []
        return [*named, *(words for words in spoken(self.form) if not words.startswith(("月份自", "月份至")))]

"""What 断面水质台账 can be narrowed by. Without months chosen it shows the last one published."""

from django import forms

from ledgers.choices import KeptChoiceField
from ledgers.filters import RowsFilter, spoken
from ledgers.rows import Rows
from ledgers.search import matches
from ledgers.water import Source
from linfen_water.models import County
from monitoring.enums import WaterClass
from monitoring.filters import ON_A_RIVER, SectionsForm
from monitoring.models import River
from monitoring.periods import Period


class SectionForm(SectionsForm):
    """What narrows the page of the sections, and besides: months, class and words."""

    q = forms.CharField(label="查找", required=False, max_length=60)
    month_from = forms.ChoiceField(label="月份自", required=False)
    month_to = forms.ChoiceField(label="月份至", required=False)
    river = KeptChoiceField(
        label="河流", required=False, queryset=River.objects.filter(**ON_A_RIVER).distinct(), to_field_name="name", empty_label="全部"
    )
    county = KeptChoiceField(
        label="责任县（市、区）",
        required=False,
        queryset=County.objects.filter(**ON_A_RIVER).distinct(),
        to_field_name="code",
        empty_label="全部",
    )
    water_class = forms.ChoiceField(
        label="类别", required=False, choices=[("", "全部"), *((str(c.value), f"{c.label}类") for c in WaterClass)]
    )
    field_order = ("q", "month_from", "month_to", "level", "river", "county", "water_class", "only")

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

    def choose(self, *, q, water_class, **chosen) -> Rows:
        rows = [
            row
            for row in self.queryset.read(self.months)
            if self.form.choose([row["row"]])
            and (not water_class or row["water_class"] == int(water_class))
            and matches(q, row["section"], row["river"], row["county"], row["note"])
        ]
        return Rows(rows, is_by_result=bool(water_class or chosen["only"]))

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

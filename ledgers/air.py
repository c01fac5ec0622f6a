"""县（市、区）环境空气质量排名: a row is a county, the periods that end together stand side by side, as in the local paper.

Which columns there are depends on the periods of the month; ranks are computed by `monitoring.air`.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from html import escape

from django import forms

from ledgers import columns as c
from ledgers import tables
from ledgers.choices import kept_offer
from ledgers.filters import RowsFilter
from ledgers.rows import Rows
from linfen_water import palette
from linfen_water.dates import month_end
from monitoring import air, air_values
from monitoring.air_values import MEASURES
from monitoring.standards import air_ranking
from projects.figures import DIGITS

LABELS = {
    "composite_index": "综合指数",
    "composite_change": "同比变化率",
    "pm25": "PM2.5（μg/m³）",
    "pm25_change": "同比变化率",
}
NUMBER_FORMATS = {"composite_index": "0.00#", "composite_change": "0.0", "pm25": "General", "pm25_change": "0.0"}
RANK = "名次"


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class MeasureColumn(c.LedgerColumn):
    """A published value; a change says by its sign and colour whether the air got better."""

    css = "number"

    def __init__(self, measure: str, **kwargs):
        super().__init__(LABELS[measure], **kwargs)
        self.measure, self.unit, self.number_format = measure, MEASURES[measure].unit, NUMBER_FORMATS[measure]

    def render(self, value, row):
        if value is None:
            return c.MISSING
        text = air_values.spoken(self.measure, value)
        if not MEASURES[self.measure].is_change or not value:
            return text
        return f'<span class="change-{"better" if value < 0 else "worse"}">{"+" if value > 0 else ""}{text}</span>'

    def value(self, value, row):
        return None if value is None else Decimal(air_values.spoken(self.measure, value))


class RankColumn(c.IntegerColumn):
    css = "number rank"

    def __init__(self, **kwargs):
        super().__init__(RANK, is_computed=True, width=6, **kwargs)


class AirTable(tables.LedgerTable):
    """The counties; what is beside them comes from `columns`."""

    county = c.LedgerColumn("县（市、区）", sort="position", group="地区", width=12, css="pin pin-1 nowrap")


def columns(chosen: "AirRows") -> dict[str, c.LedgerColumn]:
    """All columns in order: the eight of each period, under its label."""
    found: dict[str, c.LedgerColumn] = {"county": AirTable.base_columns["county"]}
    for n, label in enumerate(group_labels(chosen.ranking), 1):
        for key in air.COLUMNS:
            name = f"{key}_{n}"
            measure = key.removeprefix("rank_")
            place = {"sort": name, "group": label}
            found[name] = MeasureColumn(measure, width=10, **place) if key == measure else RankColumn(**place)
    return found


def group_labels(ranking: air.Table | None) -> list[str]:
    """One label a period; two of one name get their days."""
    periods = ranking.periods if ranking else []
    labels = [period.label for period in periods]
    return [
        f"{period.label}（{period.starts_on}—{period.ends_on}）" if labels.count(period.label) > 1 else period.label for period in periods
    ]


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
class AirRows(Rows):
    """The counties of one ranking, by the composite index of its shortest period; without one, in the region's order, last."""

    def __init__(self, rows: Iterable[dict] = (), ranking: air.Table | None = None):
        super().__init__(rows)
        self.ranking = ranking


@dataclasses.dataclass(frozen=True)
class Rankings:
    """What may be opened: the days on which rankings known by `day` end, latest first."""

    day: dt.date
    ends: list[dt.date]

    def none(self) -> AirRows:
        return AirRows()


def rows(day: dt.date, user=None) -> Rankings:
    """Rankings are published: everyone who may log in reads all of them."""
    return Rankings(day, kept_offer(f"rankings:{day}", lambda: air.ends(day)))


def month_label(ends_on: dt.date) -> str:
    return f"{ends_on.year}年{ends_on.month}月" + ("" if ends_on == month_end(ends_on) else f"{ends_on.day}日")


class MonthForm(forms.Form):
    month = forms.ChoiceField(label="截至月份", required=False)

    def __init__(self, data=None, *, source: Rankings, **kwargs):
        super().__init__(data, **kwargs)
        self.source = source
        self.by_key = {air.month_key(day): day for day in source.ends}
        latest = f"最新（{month_label(source.ends[0])}）" if source.ends else "最新"
        self.fields["month"].choices = [("", latest), *((key, month_label(day)) for key, day in self.by_key.items())]
        self.fields["month"].error_messages["invalid_choice"] = "没有 %(value)s 的排名，请从列表中选择。"

    @property
    def ends_on(self) -> dt.date | None:
        """The ranking chosen: the latest one by itself. None when there is none yet."""
        chosen = self.cleaned_data.get("month")
        return self.by_key[chosen] if chosen else next(iter(self.source.ends), None)


class AirFilter(RowsFilter):
    form_class = MonthForm

    def choose(self, **chosen) -> AirRows:
        ranking = air.table(self.day, self.form.ends_on) if self.form.ends_on else None
        return AirRows(map(_row, _by_index(ranking.rows)), ranking) if ranking else AirRows()

    @property
    def spoken(self) -> list[str]:
        """The month, also when nobody chose it: it is what the whole table speaks of."""
        return [f"截至月份：{month_label(self.form.ends_on)}"] if self.form.is_valid() and self.form.ends_on else []


def _by_index(found: list[air.Row]) -> list[air.Row]:
    return sorted(found, key=lambda row: (row.cells[0].ranks.get("composite_index") is None, row.cells[0].ranks.get("composite_index", 0)))


def _row(row: air.Row) -> dict:
    cells = {f"{key}_{n}": cell.of(key) for n, cell in enumerate(row.cells, 1) for key in air.COLUMNS}
    return {"key": row.county.code, "county": row.county.name, "position": row.county.position} | cells


def notes(chosen: AirRows) -> list[str]:
    """The notes below the table, then who published it and when."""
    if not chosen.ranking:
        return []
    return [*chosen.ranking.notes, *(f"数据来源：{source}　发布日期：{day}" for source, day in chosen.ranking.sources)]


# ── Beside the table ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Mover:
    """A county's rank by the composite index, now and the month before."""

    county: str
    rank: int | None
    before: int | None
    moved: int | None  # places gained; negative = lost

    @property
    def lost(self) -> int:
        return -(self.moved or 0)


def beside(chosen: AirRows) -> dict:
    """What the page shows beside the table: the figure of the composite index, the movement of ranks, where the values come from."""
    ranking = chosen.ranking
    if ranking is None:
        return {}
    ordered = _by_index(ranking.rows)
    movers = [_mover(row) for row in ordered] if ranking.before else []
    return {
        "ranking": ranking,
        "figure": figure(ordered),
        "figure_words": _figure_words(ordered),
        "movers": movers,
        "words": summary(ordered),
    }


def _mover(row: air.Row) -> Mover:
    rank = row.cells[0].ranks.get("composite_index")
    return Mover(row.county.name, rank, None if row.moved is None or rank is None else rank + row.moved, row.moved)


def summary(ordered: list[air.Row]) -> str:
    """The shortest period in words: which counties have the smallest and largest index, how many got better."""
    indices = {row.county.name: row.cells[0].values["composite_index"] for row in ordered}
    known = {name: index for name, index in indices.items() if index is not None}
    if not known:
        return ""
    best, worst = min(known.values()), max(known.values())
    said = f"综合指数最低（最好）{_named(known, best)}"
    said += f"，最高{_named(known, worst)}。" if worst != best else "。"
    changes = [change for row in ordered if (change := row.cells[0].values["composite_change"]) is not None]
    if not changes:
        return said
    down, up = sum(change < 0 for change in changes), sum(change > 0 for change in changes)
    same = len(changes) - down - up
    return f"{said}有同比的{len(changes)}个县（市、区）中，下降（改善）{down}个、持平{same}个、上升{up}个。"


def _named(known: dict[str, Decimal], index: Decimal) -> str:
    names = [name for name, value in known.items() if value == index]
    return f"{'、'.join(names)}（{air_values.spoken('composite_index', index)}）"


def _figure_words(ordered: list[air.Row]) -> str:
    said = [
        f"{row.county.name}{air_values.spoken('composite_index', row.cells[0].values['composite_index']) or '无数据'}" for row in ordered
    ]
    return "各县（市、区）综合指数：" + "、".join(said)


def figure(ordered: list[air.Row]) -> dict:
    """Composite index by county, best on top, with the value of the year before where it can be derived."""
    colour = palette.colours()
    there = [row for row in ordered if row.cells[0].values["composite_index"] is not None]
    names = [row.county.name for row in there]
    now = [row.cells[0].values["composite_index"] for row in there]
    then = [
        air_ranking.year_before(row.cells[0].values["composite_index"], row.cells[0].values["composite_change"], decimals=2)
        for row in there
    ]
    pairs = [(name, a, b) for name, a, b in zip(names, now, then, strict=True) if b is not None]
    links = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
        "x": [x for _, a, b in pairs for x in (float(b), float(a), None)],
        "y": [y for name, _, _ in pairs for y in (name, name, None)],
        "line": {"color": colour["hairline"], "width": 3},
    }  # fmt: skip
    year_before = {
        "type": "scatter", "mode": "markers", "name": "上年同期（推算）",
        "x": [float(b) for _, _, b in pairs], "y": [name for name, _, _ in pairs],
        "marker": {"size": 9, "symbol": "circle-open", "color": colour["ink-soft"], "line": {"width": 1.5}},
        "hovertemplate": "%{y} 上年同期约 %{x:.2f}<extra></extra>",
    }  # fmt: skip
    this_year = {
        "type": "scatter", "mode": "markers", "name": "本期",
        "x": [float(value) for value in now], "y": names,
        "marker": {"size": 11, "color": colour["stage-blue"]},
        "hovertemplate": "%{y} %{x:.2f}<extra></extra>",
    }  # fmt: skip
    return {"data": [links, year_before, this_year], "layout": _layout(colour, names)}


def _layout(colour: dict[str, str], names: list[str]) -> dict:
    grid = {"gridcolor": colour["hairline"], "fixedrange": True, "zeroline": False}
    return {
        "height": 96 + 23 * len(names),
        "margin": {"l": 96, "r": 18, "t": 34, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
        "hovermode": "closest",
        "xaxis": grid | {"title": {"text": "综合指数（越小越好）", "font": {"size": 13}}, "linecolor": colour["ink-soft"]},
        "yaxis": grid | {"type": "category", "categoryorder": "array", "categoryarray": [escape(name) for name in reversed(names)]},
    }

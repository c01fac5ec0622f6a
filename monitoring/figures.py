"""The figures of a section's page for Plotly, as plain dicts; `static/js/figures.js` draws them. Colour never stands alone."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.utils import timezone

from linfen_water import palette
from monitoring.enums import CellFlag, StationState, WaterClass
from monitoring.limits import Limit
from monitoring.series import INTERRUPTED, RUN_HOURS, Day, Item, ItemRun, MonthValue

DIGITS = '"Barlow Semi Condensed", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "Office Sans", sans-serif'
ITEM_HEIGHT, STATION_HEIGHT = 360, 330  # pixels
BAND_OPACITY = 0.16
LEAST_BAND = 0.05  # of the height: a lower band has no room for its numeral, which then stands in the words alone
ROOM_ABOVE = 1.12
STRIP = 0.07  # of the height, for the marks of what is missing
SPAN_OF_MONTHS = 150  # days; a longer axis counts in months
DAY_MILLISECONDS = 86_400_000
PH_SHOWN = (5.5, 9.5)
YEAR_STYLES = ((3.0, "solid", "circle"), (1.8, "6px,3px", "square"), (1.5, "2px,3px", "diamond"))  # this year first

# Marks of the strip below a station's series: symbol by what happened.
LOST = {"维护、停站": "square", CellFlag.EXTREME.label: "x-thin-open", CellFlag.MISSING.label: "circle-open"}


@dataclasses.dataclass(frozen=True, slots=True)
class Band:
    """The values of one class, or of several with the same limit; `low` and `high` in the item's unit, None = open."""

    low: Decimal | None
    high: Decimal | None
    label: str
    water_class: WaterClass


def bands(limit: Limit) -> list[Band]:
    """From the lowest value to the highest. Of pH: below, within and above the range, which is the same for all classes."""
    if limit.direction == "range":
        low, high = limit.values
        return [
            Band(None, low, WaterClass.WORSE_THAN_V.label, WaterClass.WORSE_THAN_V),
            Band(low, high, "各类", WaterClass.III),
            Band(high, None, WaterClass.WORSE_THAN_V.label, WaterClass.WORSE_THAN_V),
        ]
    by_limit: dict[Decimal, list[WaterClass]] = defaultdict(list)
    for water_class, value in zip(WaterClass, limit.values, strict=False):
        by_limit[value].append(water_class)
    edges = sorted(by_limit)
    worst = Band(None, None, WaterClass.WORSE_THAN_V.label, WaterClass.WORSE_THAN_V)
    if limit.direction == "ge":
        found = [_band(low, high, by_limit[low]) for low, high in zip(edges, [*edges[1:], None], strict=True)]
        return [dataclasses.replace(worst, high=edges[0]), *found]
    found = [_band(low, high, by_limit[high]) for low, high in zip([None, *edges], edges, strict=False)]
    return [*found, dataclasses.replace(worst, low=edges[-1])]


def _band(low: Decimal | None, high: Decimal | None, classes: Sequence[WaterClass]) -> Band:
    label = classes[0].label if len(classes) == 1 else f"{classes[0].label}–{classes[-1].label}"
    return Band(low, high, label, classes[0])


def limit_words(limit: Limit | None) -> str:
    """The limits in one line: Ⅰ ≤0.15，Ⅱ ≤0.5 …; what a reader who sees no colours needs."""
    if limit is None:
        return "本标准对该水体不设此项限值。"
    if limit.direction == "range":
        return f"各类均为 {limit.values[0]}—{limit.values[1]}，超出范围为劣Ⅴ类。"
    sign = "≤" if limit.direction == "le" else "≥"
    listed = "，".join(f"{water_class.label} {sign}{value}" for water_class, value in zip(WaterClass, limit.values, strict=False))
    return f"{listed}。" + ("溶解氧越高越好，限值是下限。" if limit.direction == "ge" else "")


# ── Months of an item ────────────────────────────────────────────────────────────────────────────────────────────────
def item_months(item: Item, months: Sequence[MonthValue], target: WaterClass | None) -> dict:
    """Published monthly means on the bands of the classes; hollow where a sample lay below detection, a diamond where doubtful."""
    colour = palette.colours()
    shown = [month for month in months if month.value is not None]
    shape = _shape(item, [_number(month.value) for month in shown], target, colour)
    trace = {
        "type": "scatter", "mode": "lines+markers", "name": f"{item.name}月均值", "connectgaps": False,
        "x": [month.month.isoformat() for month in months],
        "y": [_number(month.value) for month in months],
        "customdata": [_words(month) for month in months],
        "line": {"color": colour["ink"], "width": 2},
        "marker": {
            "size": 9, "color": colour["ink"], "line": {"width": 1.5, "color": colour["ink"]},
            "symbol": [_symbol(month) for month in months],
        },
        "hovertemplate": "%{x|%Y年%-m月} %{y} " + item.unit + "%{customdata}<extra></extra>",
    }  # fmt: skip
    span = [_shifted(months[0].month, -20), _shifted(months[-1].month, 20)] if months else None
    layout = _layout(ITEM_HEIGHT, colour) | shape | {"showlegend": False}
    layout["xaxis"] = _axis(colour, type="date", tickformat="%Y-%m", **({"range": span} if span else {}))
    return {"data": [trace], "layout": layout}


def seasons(item: Item, months: Sequence[MonthValue], target: WaterClass | None) -> dict:
    """The same months year above year: whether this January is like the last ones."""
    colour = palette.colours()
    by_year: dict[int, dict[int, float]] = defaultdict(dict)
    for month in months:
        if month.value is not None:
            by_year[month.month.year][month.month.month] = float(month.value)
    shades = (colour["accent"], colour["ink"], colour["ink-faint"])
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "name": f"{year}年", "connectgaps": False,
            "x": list(range(1, 13)), "y": [by_year[year].get(n) for n in range(1, 13)],
            "line": {"color": shade, "width": width, "dash": dash}, "marker": {"size": 7, "symbol": symbol, "color": shade},
            "hovertemplate": f"{year}年%{{x}}月 %{{y}} {item.unit}<extra></extra>",
        }
        for year, (width, dash, symbol), shade in zip(sorted(by_year, reverse=True), YEAR_STYLES, shades, strict=False)
    ]  # fmt: skip
    layout = _layout(ITEM_HEIGHT, colour) | _shape(item, [value for year in by_year.values() for value in year.values()], target, colour)
    layout["xaxis"] = _axis(
        colour, range=[0.5, 12.5], tickvals=list(range(1, 13)), title={"text": "月", "font": {"size": 12}, "standoff": 4}, tickangle=0
    )
    return {"data": data[::-1], "layout": layout}


def _words(month: MonthValue) -> str:
    said = [f"（{month.water_class.label}类）" if month.water_class else ""]
    said += ["<br>有样品低于检出限，按一半计"] if month.has_below_detection else []
    said += ["<br>有存疑数据"] if month.is_doubtful else []
    return "".join(said)


def _symbol(month: MonthValue) -> str:
    shape = "diamond" if month.is_doubtful else "circle"
    return f"{shape}-open" if month.has_below_detection else shape


# ── Automatic station ────────────────────────────────────────────────────────────────────────────────────────────────
def station_runs(item: Item, runs: Sequence[ItemRun], span: tuple[dt.date, dt.date], target: WaterClass | None) -> dict:
    """Every run as published; the line breaks where runs or values are missing, and the strip below says why."""
    colour = palette.colours()
    x: list[str] = []
    y: list[float | None] = []
    lost: dict[str, list[str]] = defaultdict(list)
    before = None
    for run in runs:
        at = timezone.localtime(run.at)
        if before and at - before > dt.timedelta(hours=1.5 * RUN_HOURS):
            x.append(_moment(before + dt.timedelta(hours=RUN_HOURS)))
            y.append(None)
            lost[CellFlag.MISSING.label].append(x[-1])
        x.append(_moment(at))
        y.append(None if run.value is None else float(run.value))
        if run.state in INTERRUPTED:
            lost["维护、停站"].append(x[-1])
        if run.value is None and run.flag:
            lost[CellFlag(run.flag).label].append(x[-1])
        before = at
    trace = {
        "type": "scatter", "mode": "lines+markers", "name": item.name, "connectgaps": False, "x": x, "y": y,
        "line": {"color": colour["river-ink"], "width": 1.6}, "marker": {"size": 4},
        "hovertemplate": "%{x|%Y-%m-%d %H:%M} %{y} " + item.unit + "<extra></extra>",
    }  # fmt: skip
    return _station([trace], lost, item, [value for value in y if value is not None], span, target, colour, "%m-%d")


def station_days(item: Item, days: Sequence[Day], span: tuple[dt.date, dt.date], target: WaterClass | None) -> dict:
    """Each day's mean with its lowest and highest value; a day without a value is a gap. Days count from the first: no dates are sent."""
    colour = palette.colours()
    first, last = span
    by_day = {day.day: day for day in days}
    every = [by_day.get(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]
    start = {"x0": first.isoformat(), "dx": DAY_MILLISECONDS}
    edge = {
        "type": "scatter",
        "mode": "lines",
        "connectgaps": False,
        "hoverinfo": "skip",
        "line": {"width": 0.9, "color": colour["river-main"]},
    }
    data = [
        edge | start | {"name": "日最低", "y": [_short(day.low if day else None) for day in every]},
        edge | start | {"name": "日最高", "y": [_short(day.high if day else None) for day in every]},
        {
            "type": "scatter", "mode": "lines", "name": "日均值", "connectgaps": False, **start,
            "y": [_short(day.mean if day else None) for day in every],
            "line": {"color": colour["river-ink"], "width": 1.6},
            "hovertemplate": "%{x|%Y-%m-%d} 日均 %{y} " + item.unit + "<extra></extra>",
        },
    ]  # fmt: skip
    lost = {
        "维护、停站": [day.day.isoformat() for day in days if day.interrupted],
        CellFlag.MISSING.label: [
            (first + dt.timedelta(days=n)).isoformat()
            for n, day in enumerate(every)
            if (day is None and days and first + dt.timedelta(days=n) >= days[0].day) or (day is not None and not day.values)
        ],
    }
    values = [value for day in days for value in (day.low, day.high) if value is not None]
    return _station(data, lost, item, values, span, target, colour, "%Y-%m" if (last - first).days > SPAN_OF_MONTHS else "%m-%d")


def _station(
    data: list[dict], lost: dict[str, list[str]], item: Item, values: Iterable[float], span: tuple[dt.date, dt.date],
    target: WaterClass | None, colour: dict[str, str], ticks: str,
) -> dict:  # fmt: skip
    marks = [
        {
            "type": "scatter", "mode": "markers", "name": word, "yaxis": "y2", "x": lost[word], "y": [0] * len(lost[word]),
            "marker": {"size": 7, "symbol": symbol, "color": colour["bad"], "line": {"width": 1.4, "color": colour["bad"]}},
            "hovertemplate": "%{x|%Y-%m-%d %H:%M} " + word + "<extra></extra>",
        }
        for word, symbol in LOST.items()
        if lost.get(word)
    ]  # fmt: skip
    shape = _shape(item, values, target, colour)
    layout = _layout(STATION_HEIGHT, colour) | shape
    layout["yaxis"] = shape["yaxis"] | {"domain": [STRIP + 0.03, 1]}
    layout["yaxis2"] = {"domain": [0, STRIP], "range": [-1, 1], "visible": False, "fixedrange": True}
    ends = [span[0].isoformat(), _shifted(span[1], 1)]
    layout["xaxis"] = _axis(colour, type="date", tickformat=ticks, range=ends, anchor="y2")
    return {"data": [*data, *marks], "layout": layout}


def lost_counts(runs: Sequence[ItemRun]) -> dict[str, int]:
    """How often a value was missing, filtered, or the station interrupted: the strip in words."""
    found = {
        CellFlag.MISSING.label: sum(run.flag == CellFlag.MISSING for run in runs),
        CellFlag.EXTREME.label: sum(run.flag == CellFlag.EXTREME for run in runs),
        StationState.MAINTENANCE.label: sum(run.state == StationState.MAINTENANCE for run in runs),
        StationState.STOPPED.label: sum(run.state == StationState.STOPPED for run in runs),
    }
    return {word: count for word, count in found.items() if count}


# ── Ground ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _shape(item: Item, values: Iterable[float | None], target: WaterClass | None, colour: dict[str, str]) -> dict:
    """The value axis, the bands of the classes with their numerals at the right, and the target's line."""
    low, high = _span(item, [value for value in values if value is not None], target)
    axis = _axis(colour, range=[low, high], zeroline=False, title={"text": item.unit, "font": {"size": 12}})
    if item.limit is None:
        return {"yaxis": axis, "shapes": [], "annotations": []}
    shapes, words = [], []
    for band in bands(item.limit):
        bottom = max(low, float(band.low)) if band.low is not None else low
        top = min(high, float(band.high)) if band.high is not None else high
        if top <= bottom:
            continue
        shapes.append(_band_shape(bottom, top, colour[f"water-{int(band.water_class)}"], colour))
        if (top - bottom) / (high - low) >= LEAST_BAND:
            words.append(_band_word((bottom + top) / 2, band.label, colour))
    aim = _aim(item.limit, target)
    if aim is not None:
        shapes.append(_aim_line(aim, colour))
        words.append(_aim_word(aim, target, item.limit, colour))
    return {"yaxis": axis, "shapes": shapes, "annotations": words}


def _span(item: Item, values: Sequence[float], target: WaterClass | None) -> tuple[float, float]:
    if item.limit is None:
        low, high = min([0.0, *values]) * ROOM_ABOVE, max([0.0, *values]) * ROOM_ABOVE
        return low, high if high > low else 1.0
    if item.limit.direction == "range":
        return min([PH_SHOWN[0], *(value - 0.3 for value in values)]), max([PH_SHOWN[1], *(value + 0.3 for value in values)])
    limits = item.limit.values
    third = limits[min(max(WaterClass.III, target or WaterClass.III), len(limits)) - 1] if item.limit.direction == "le" else limits[0]
    return 0.0, round(ROOM_ABOVE * max([float(third), *values]), 6)


def _aim(limit: Limit, target: WaterClass | None) -> Decimal | None:
    """The target's limit; pH has one range for every class, and no line."""
    return None if target is None or limit.direction == "range" or target > len(limit.values) else limit.values[target - 1]


def _band_shape(bottom: float, top: float, fill: str, colour: dict[str, str]) -> dict:
    red, green, blue = (int(fill[n : n + 2], 16) for n in (1, 3, 5))
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": bottom, "y1": top, "layer": "below",
        "fillcolor": f"rgba({red},{green},{blue},{BAND_OPACITY})", "line": {"width": 0.6, "color": colour["hairline"]},
    }  # fmt: skip


def _band_word(at: float, label: str, colour: dict[str, str]) -> dict:
    return {
        "xref": "paper", "x": 1.008, "xanchor": "left", "yref": "y", "y": at, "yanchor": "middle", "showarrow": False,
        "text": label, "font": {"size": 13, "color": colour["ink-soft"]},
    }  # fmt: skip


def _aim_line(aim: Decimal, colour: dict[str, str]) -> dict:
    line = {"width": 1.6, "color": colour["accent"], "dash": "7px,3px"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": float(aim), "y1": float(aim), "line": line}


def _aim_word(aim: Decimal, target: WaterClass | None, limit: Limit, colour: dict[str, str]) -> dict:
    sign = "≥" if limit.direction == "ge" else "≤"
    label = WaterClass(target).label if target else ""
    return {
        "xref": "paper", "x": 0.005, "xanchor": "left", "yref": "y", "y": float(aim), "yanchor": "bottom", "showarrow": False,
        "text": f"目标{label}类 {sign}{aim}", "font": {"size": 12, "color": colour["accent"]},
    }  # fmt: skip


def _layout(height: int, colour: dict[str, str]) -> dict:
    return {
        "height": height,
        "margin": {"l": 48, "r": 52, "t": 30, "b": 34},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 13, "color": colour["ink"]},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "xanchor": "left", "font": {"size": 12}},
        "hovermode": "closest",
    }


def _axis(colour: dict[str, str], **more) -> dict:
    return {"gridcolor": colour["hairline"], "fixedrange": True, "linecolor": colour["ink-soft"], **more}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _short(value: float | None) -> float | None:
    """Four significant digits: what a screen shows, a third of the bytes."""
    return None if value is None else float(f"{value:.4g}")


def _moment(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}"


def _shifted(day: dt.date, days: int) -> str:
    return (day + dt.timedelta(days=days)).isoformat()

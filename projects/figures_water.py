"""The time line of a section's works for Plotly, as plain dicts: what was built when the water changed; `static/js/figures.js` draws it."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from linfen_water import palette
from linfen_water.dates import add_months
from monitoring.enums import WaterClass
from monitoring.limits import Limit
from projects.enums import Stage
from projects.figures import DIGITS
from projects.works_water import Month, Work

WATER_PIXELS, RIBBON_PIXELS, WORK_PIXELS = 170, 46, 26
TOP, BOTTOM, GAP = 40, 40, 16
BESIDE = "— "  # before the label of a work that is not upstream
MILLISECONDS = 86_400_000
TO_COME = "rgba(125, 133, 143, .28)"


def timeline(day: dt.date, works: Sequence[Work], months: Sequence[Month], limit: Limit | None) -> dict:
    """Above the class of each month and one item's monthly values (`limit`: the item's), below a bar for each work.

    `works` come upstream first, from near to far, then the others, as `SectionWorks` has them. The bar of the farthest is
    the topmost, so that the water flows down to the section; what is not upstream stands below.
    """
    colour = palette.colours()
    upstream, others = ([work for work in works if (work.way is not None) is side] for side in (True, False))
    rows = [*reversed(others), *upstream]
    above = 2 * GAP + WATER_PIXELS + RIBBON_PIXELS if months else 0
    height = TOP + BOTTOM + above + WORK_PIXELS * max(len(rows), 1)
    data = [*_works(rows, day, colour), *_water(months, limit, colour)]
    return {"data": data, "layout": _layout(rows, months, limit, day, height, colour)}


# ── Works ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _works(rows: Sequence[Work], day: dt.date, colour: dict[str, str]) -> list[dict]:
    done = [(w, w.started_on, w.completed_on) for w in rows if w.started_on and w.completed_on]
    going = [(w, w.started_on, day) for w in rows if w.started_on and not w.completed_on]
    to_come = [(w, max(w.baseline_start_on, day) if not w.started_on else day, w.baseline_finish_on) for w in rows if not w.completed_on]
    to_come = [(w, start, end) for w, start, end in to_come if end > start]
    bars = [
        _bars("已完工", done, colour["stage-blue"], colour["stage-blue-digit"]),
        _bars("在建（至数据截至日）", going, colour["stage-green"], colour["stage-green-digit"]),
        _bars("计划（基线，尚未发生）", to_come, TO_COME, "", pattern=colour["ink-faint"]),
    ]
    marks = [
        _marks("开工", [(w, w.started_on) for w in rows if w.started_on], "square", colour["stage-green"], colour),
        _marks("完工", [(w, w.completed_on) for w in rows if w.completed_on], "circle", colour["stage-blue"], colour),
    ]
    return [trace for trace in (*bars, *marks) if trace["y"]]


def _bars(name: str, spans: Sequence[tuple[Work, dt.date, dt.date]], fill: str, digit: str, pattern: str = "") -> dict:
    """From start to end; with `digit` the work's name stands inside where there is room for it."""
    marker: dict = {"color": fill}
    if pattern:
        marker["pattern"] = {"shape": "/", "size": 5, "fgcolor": pattern, "bgcolor": TO_COME}
    return {
        "type": "bar", "orientation": "h", "name": name, "width": 0.86, "opacity": 0.85,
        "y": [work.code for work, _, _ in spans],
        "base": [start.isoformat() for _, start, _ in spans],
        "x": [(end - start).days * MILLISECONDS for _, start, end in spans],
        "customdata": [[work.name, Stage(work.stage).label, _span(start, end)] for work, start, end in spans],
        "hovertemplate": "%{y} %{customdata[0]}<br>%{customdata[1]} · " + name + "<br>%{customdata[2]}<extra></extra>",
        "marker": marker,
        "text": [work.name if digit else "" for work, _, _ in spans], "textposition": "inside", "insidetextanchor": "middle",
        "insidetextfont": {"size": 11, "color": digit or TO_COME},
    }  # fmt: skip


def _span(start: dt.date, end: dt.date) -> str:
    return f"{start} — {end}"


def _marks(name: str, found: Sequence[tuple[Work, dt.date]], symbol: str, fill: str, colour: dict[str, str]) -> dict:
    """Start and finish with the shapes that stages have everywhere."""
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [on.isoformat() for _, on in found], "y": [work.code for work, _ in found],
        "customdata": [[work.name] for work, _ in found],
        "hovertemplate": "%{y} %{customdata[0]}<br>" + name + " %{x|%Y-%m-%d}<extra></extra>",
        "marker": {"size": 10, "symbol": symbol, "color": fill, "line": {"width": 1, "color": colour["sheet"]}},
    }  # fmt: skip


# ── Water ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _water(months: Sequence[Month], limit: Limit | None, colour: dict[str, str]) -> list[dict]:
    if not months:
        return []
    traces = [_ribbon(months, colour)]
    if limit:
        traces.append(_values(months, limit, colour))
    return traces


def _values(months: Sequence[Month], limit: Limit, colour: dict[str, str]) -> dict:
    """The item's value of each month; a gap where there is none."""
    values = [month.values.get(limit.key) for month in months]
    return {
        "type": "scatter", "mode": "lines+markers", "name": f"{_short(limit)}月均值", "yaxis": "y2",
        "x": [_middle(month.month) for month in months], "y": [None if value is None else float(value) for value in values],
        "connectgaps": False, "line": {"color": colour["river-ink"], "width": 2}, "marker": {"size": 5},
        "hovertemplate": "%{x|%Y年%-m月} " + _short(limit) + " %{y} " + _unit(limit) + "<extra></extra>",
    }  # fmt: skip


def _ribbon(months: Sequence[Month], colour: dict[str, str]) -> dict:
    """The class of each month: its official colour with its numeral; a month without one is empty."""
    fills = [colour[f"water-{int(m.water_class)}"] if m.water_class else "rgba(0,0,0,0)" for m in months]
    digits = [colour[f"water-{int(m.water_class)}-digit"] if m.water_class else colour["ink-soft"] for m in months]
    edges = {"width": [0 if m.water_class else 1 for m in months], "color": colour["ink-faint"]}
    return {
        "type": "scatter", "mode": "markers+text", "name": "当月类别", "yaxis": "y3", "showlegend": False,
        "x": [_middle(month.month) for month in months], "y": [0] * len(months),
        "text": [WaterClass(m.water_class).label if m.water_class else "—" for m in months],
        "customdata": [[f"{m.water_class.label}类" if m.water_class else m.note or "未监测"] for m in months],
        "marker": {"symbol": "square", "size": 17, "color": fills, "line": edges},
        "textfont": {"size": 11, "color": digits},
        "hovertemplate": "%{x|%Y年%-m月} %{customdata[0]}<extra></extra>",
    }  # fmt: skip


def _middle(month: dt.date) -> str:
    return month.replace(day=15).isoformat()


def _short(limit: Limit) -> str:
    return limit.name.split("(")[0]


def _unit(limit: Limit) -> str:
    return "" if limit.key == "ph" else limit.unit


# ── Layout ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _layout(rows: Sequence[Work], months: Sequence[Month], limit: Limit | None, day: dt.date, height: int, colour: dict[str, str]) -> dict:
    drawn = height - TOP - BOTTOM  # heights as shares of it, from below
    ribbon_bottom, water_top = 1 - RIBBON_PIXELS / drawn, 1 - (RIBBON_PIXELS + GAP) / drawn
    water_bottom = water_top - WATER_PIXELS / drawn
    works_top = water_bottom - GAP / drawn if months else 1
    grid = {"gridcolor": colour["hairline"], "fixedrange": True}
    bounds = _bounds(limit)
    water = _water_axes(limit, (water_bottom, water_top), (ribbon_bottom, 1), grid) if months else {}
    return water | {
        "height": height,
        "barmode": "overlay",
        "uniformtext": {"mode": "hide", "minsize": 11},
        "margin": {"l": 128, "r": 16, "t": TOP, "b": BOTTOM},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 13, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left", "font": {"size": 12}},
        "hovermode": "closest",
        "xaxis": grid | {
            "type": "date", "tickformat": "%Y-%m", "linecolor": colour["ink-soft"], "range": _range(rows, months, day), "anchor": "y",
        },
        "yaxis": grid | {
            "type": "category", "domain": [0, round(works_top, 4)], "categoryorder": "array",
            "categoryarray": [work.code for work in rows], "range": [-0.6, max(len(rows), 1) - 0.4],
            "tickmode": "array", "tickvals": [work.code for work in rows], "ticktext": [_label(work) for work in rows],
            "tickfont": {"size": 12},
        },
        "shapes": [_day_line(day, colour), *[_bound_line(value, colour) for value, _ in bounds]],
        "annotations": [_day_word(day, colour), *[_bound_word(value, word, colour) for value, word in bounds]],
    }  # fmt: skip


def _water_axes(limit: Limit | None, values: tuple[float, float], ribbon: tuple[float, float], grid: dict) -> dict:
    """The axes of the item's values and of the classes; where nothing is published neither is there."""
    return {
        "yaxis2": grid | {
            "domain": _share(values), "zeroline": False,
            "rangemode": "tozero" if limit and limit.key != "ph" else "normal",
            "title": {"text": f"{_short(limit)} {_unit(limit)}".strip(), "font": {"size": 12}} if limit else {},
        },
        "yaxis3": {
            "domain": _share(ribbon), "range": [-1, 1], "fixedrange": True,
            "showgrid": False, "zeroline": False, "tickmode": "array", "tickvals": [0], "ticktext": ["当月类别"], "tickfont": {"size": 12},
        },
    }  # fmt: skip


def _share(ends: tuple[float, float]) -> list[float]:
    return [round(end, 4) for end in ends]


def _label(work: Work) -> str:
    """LF-012 ↑12.3km: the way along the rivers; with a dash where the work is not upstream."""
    if work.way is None:
        return f"{BESIDE}{work.code}"
    return f"{work.code} ↑{work.way.km}km" if work.way.km is not None else f"{work.code} ↑"


def _range(rows: Sequence[Work], months: Sequence[Month], day: dt.date) -> list[str]:
    """From the first month or start to the last planned finish; what lies more than five years back is cut off."""
    starts = [month.month for month in months] + [work.started_on for work in rows if work.started_on]
    ends = [add_months(day, 2), *(work.baseline_finish_on for work in rows if not work.completed_on)]
    first = max(min(starts, default=add_months(day, -12)), add_months(day, -60))
    return [add_months(first, -1).isoformat(), min(max(ends), add_months(day, 36)).isoformat()]


def _bounds(limit: Limit | None) -> list[tuple[Decimal, str]]:
    """The item's limit of class Ⅲ; of pH both ends of its range."""
    if limit is None or not limit.values:
        return []
    if limit.direction == "range":
        return [(value, word) for value, word in zip(limit.values, ("下限", "上限"), strict=True)]
    word = "Ⅲ类不低于" if limit.direction == "ge" else "Ⅲ类限值"
    return [(limit.values[WaterClass.III - 1], word)]


def _bound_line(value: Decimal, colour: dict[str, str]) -> dict:
    line = {"color": colour["ok"], "width": 1, "dash": "5px,4px"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": float(value), "y1": float(value), "line": line}


def _bound_word(value: Decimal, word: str, colour: dict[str, str]) -> dict:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "yref": "y2", "y": float(value), "yanchor": "bottom", "showarrow": False,
        "text": f"{word} {value}", "font": {"size": 12, "color": colour["ok"]},
    }  # fmt: skip


def _day_line(day: dt.date, colour: dict[str, str]) -> dict:
    line = {"width": 1, "color": colour["accent"]}
    return {"type": "line", "x0": day.isoformat(), "x1": day.isoformat(), "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _day_word(day: dt.date, colour: dict[str, str]) -> dict:
    return {
        "x": day.isoformat(), "y": 0, "yref": "paper", "yanchor": "bottom", "xanchor": "left", "showarrow": False,
        "text": f"数据截至 {day}", "font": {"size": 12, "color": colour["accent"]},
    }  # fmt: skip

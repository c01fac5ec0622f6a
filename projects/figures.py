"""The project's progress figure for Plotly, as plain dicts; `static/js/figures.js` draws it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from linfen_water import palette
from linfen_water.dates import add_months, month_end, month_start
from projects import rules
from projects.models import ProjectVersion

DIGITS = '"Barlow Semi Condensed", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "Office Sans", sans-serif'


def progress(
    day: dt.date,
    plans: Mapping[dt.date, Decimal],
    version: ProjectVersion,
    steps: Sequence[tuple[dt.date, Decimal | None]],
    started_on: dt.date | None,
    completed_on: dt.date | None,
) -> dict:
    """Planned line, reported steps by cut-off day, marks of baseline and of what happened; as of `day`."""
    colour = palette.colours()
    data = [_planned(plans, version, colour), _reported(steps, colour)]
    if started_on:
        data.append(_happened(started_on, completed_on, colour))
    marks = [("基线开工", version.baseline_start_on), ("基线完工", version.baseline_finish_on), ("数据截至", day)]
    return {"data": data, "layout": _layout(colour, marks)}


def _planned(plans: Mapping[dt.date, Decimal], version: ProjectVersion, colour: dict[str, str]) -> dict:
    start_on, finish_on = version.baseline_start_on, version.baseline_finish_on
    days = planned_days(plans, start_on, finish_on)
    return {
        "type": "scatter", "mode": "lines", "name": "计划进度",
        "x": [d.isoformat() for d in days],
        "y": [round(float(rules.planned(d, plans, start_on, finish_on)), 2) for d in days],
        "line": {"color": colour["ink-soft"], "width": 2, "dash": "6px,4px"},
        "hovertemplate": "%{x|%Y-%m-%d} 计划 %{y:.1f}%<extra></extra>",
    }  # fmt: skip


def _reported(steps: Sequence[tuple[dt.date, Decimal | None]], colour: dict[str, str]) -> dict:
    said = [(on, value) for on, value in steps if value is not None]
    return {
        "type": "scatter", "mode": "lines+markers", "name": "实际进度（按周）",
        "x": [on.isoformat() for on, _ in said],
        "y": [float(value) for _, value in said],
        "line": {"color": colour["stage-blue"], "width": 2.5, "shape": "hv"},
        "marker": {"size": 4},
        "hovertemplate": "%{x|%Y-%m-%d} 实际 %{y:.1f}%<extra></extra>",
    }  # fmt: skip


def _happened(started_on: dt.date, completed_on: dt.date | None, colour: dict[str, str]) -> dict:
    """Start and completion, with the shapes that stages have everywhere."""
    marks = [(started_on, 0, "开工", "square", colour["stage-green"], "top right")]
    if completed_on:
        marks.append((completed_on, 100, "完工", "circle", colour["stage-blue"], "bottom left"))
    days, heights, words, symbols, colours, places = (list(column) for column in zip(*marks, strict=True))
    return {
        "type": "scatter", "mode": "markers+text", "name": "实际开工、完工",
        "x": [on.isoformat() for on in days], "y": heights, "text": words, "textposition": places,
        "marker": {"size": 12, "symbol": symbols, "color": colours},
        "hovertemplate": "%{text} %{x|%Y-%m-%d}<extra></extra>",
    }  # fmt: skip


def planned_days(plans: Mapping[dt.date, Decimal], start_on: dt.date, finish_on: dt.date) -> list[dt.date]:
    """The days between which the plan runs straight: baseline dates and every month's end from the first to the last."""
    first, last = min([month_start(start_on), *plans]), max([month_start(finish_on), *plans])
    months = (last.year - first.year) * 12 + last.month - first.month
    ends = [month_end(add_months(first, n)) for n in range(-1, months + 1)]
    return sorted({start_on, finish_on, *ends})


def _layout(colour: dict[str, str], marks: list[tuple[str, dt.date]]) -> dict:
    grid = {"gridcolor": colour["hairline"], "fixedrange": True}
    return {
        "height": 340,
        "margin": {"l": 44, "r": 16, "t": 34, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "hovermode": "closest",
        "xaxis": grid | {"type": "date", "tickformat": "%Y-%m", "linecolor": colour["ink-soft"]},
        "yaxis": grid | {"range": [-3, 106], "dtick": 25, "ticksuffix": "%", "zeroline": False},
        "shapes": [_line(on, word, colour) for word, on in marks],
        "annotations": [_word(on, word, colour) for word, on in marks],
    }


def _line(on: dt.date, word: str, colour: dict[str, str]) -> dict:
    style = {"color": colour["accent"], "dash": "solid"} if word == "数据截至" else {"color": colour["ink-faint"], "dash": "2px,3px"}
    return {"type": "line", "x0": on.isoformat(), "x1": on.isoformat(), "y0": 0, "y1": 1, "yref": "paper", "line": {"width": 1} | style}


def _word(on: dt.date, word: str, colour: dict[str, str]) -> dict:
    is_day = word == "数据截至"
    return {
        "x": on.isoformat(), "y": 0.02 if is_day else 0.5, "yref": "paper", "text": f"{word}<br>{on}",
        "showarrow": False, "xanchor": "right", "align": "right",
        "font": {"size": 12, "color": colour["accent" if is_day else "ink-soft"]},
    }  # fmt: skip

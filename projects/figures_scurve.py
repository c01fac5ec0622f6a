"""S-curves and forecasts for Plotly, as plain dicts; `static/js/figures.js` draws them."""

import datetime as dt
from collections.abc import Sequence

from linfen_water import palette
from projects.figures import DIGITS
from projects.forecast import Corners, Forecast, projected
from projects.scurve import Point, SCurve

MONTHS = 8  # corners of a project's forecast line, at most one a fortnight


def curves(found: SCurve) -> dict:
    """Planned, real and forecast progress of a set of projects, with the day marked."""
    colour = palette.colours()
    data = [
        _line("计划", found.planned_points, {"color": colour["ink-soft"], "width": 2, "dash": "6px,4px"}),
        _line("实际", found.actual_points, {"color": colour["stage-blue"], "width": 3}),
        _line("推算", found.forecast_points, {"color": colour["accent"], "width": 2.5, "dash": "2px,3px"}),
    ]
    return {"data": [trace for trace in data if trace["x"]], "layout": _layout(found.day, colour)}


def _line(name: str, points: Sequence[Point], line: dict) -> dict:
    return {
        "type": "scatter", "mode": "lines", "name": name, "line": line,
        "x": [on.isoformat() for on, _ in points], "y": [round(percent, 2) for _, percent in points],
        "hovertemplate": "%{x|%Y-%m-%d} " + name + " %{y:.1f}%<extra></extra>",
    }  # fmt: skip


def _layout(day: dt.date, colour: dict[str, str]) -> dict:
    grid = {"gridcolor": colour["hairline"], "fixedrange": True}
    return {
        "height": 420,
        "margin": {"l": 48, "r": 16, "t": 34, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "hovermode": "x unified",
        "xaxis": grid | {"type": "date", "tickformat": "%Y-%m", "hoverformat": "%Y-%m-%d", "linecolor": colour["ink-soft"]},
        "yaxis": grid | {"range": [-2, 104], "dtick": 25, "ticksuffix": "%", "zeroline": False},
        "shapes": [{
            "type": "line", "x0": day.isoformat(), "x1": day.isoformat(), "y0": 0, "y1": 1, "yref": "paper",
            "line": {"width": 1, "color": colour["accent"]},
        }],
        "annotations": [{
            "x": day.isoformat(), "y": 0.02, "yref": "paper", "text": f"数据截至<br>{day}", "showarrow": False,
            "xanchor": "left", "xshift": 4, "align": "left", "font": {"size": 12, "color": colour["accent"]},
        }],
    }  # fmt: skip


def ahead(day: dt.date, curve: Corners, percent: float, told: Forecast) -> list[dict]:
    """What a project's own figure gains: its way to the likely finish, and from when to when that may be."""
    if told.finish_on is None:
        return []
    colour = palette.colours()
    span = (told.finish_on - day).days
    days = sorted({day, told.finish_on, *(day + dt.timedelta(days=span * n // MONTHS) for n in range(1, MONTHS))})
    points = list(zip(days, projected(curve, percent, day, told.finish_on, days), strict=True))
    traces = [_line("推算", points, {"color": colour["accent"], "width": 2.5, "dash": "2px,3px"})]
    if told.early_on and told.late_on:
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": "八成把握的完工时间",
            "x": [told.early_on.isoformat(), told.late_on.isoformat()], "y": [100, 100],
            "line": {"color": colour["accent"], "width": 5}, "marker": {"symbol": "line-ns-open", "size": 12},
            "hovertemplate": "%{x|%Y-%m-%d}<extra></extra>",
        })  # fmt: skip
    return traces

"""The project's progress figure for Plotly, as plain dicts; `static/js/figures.js` draws it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from linfen_water.dates import add_months, month_end, month_start
from projects import palette, rules
from projects.models import ProjectVersion

DIGITS = '"Barlow Semi Condensed", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'


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
    said = [(on, value) for on, value in steps if value is not None]
    days = planned_days(plans, version.baseline_start_on, version.baseline_finish_on)
    planned = [rules.planned(d, plans, version.baseline_start_on, version.baseline_finish_on) for d in days]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": "计划进度", "x": [d.isoformat() for d in days],
            "y": [round(float(value), 2) for value in planned],
            "line": {"color": colour["ink-soft"], "width": 2, "dash": "6px,4px"}, "hovertemplate": "%{x|%Y-%m-%d} 计划 %{y:.1f}%<extra></extra>",
        },
        {
            "type": "scatter", "mode": "lines+markers", "name": "实际进度（按周）", "x": [on.isoformat() for on, _ in said],
            "y": [float(value) for _, value in said],
            "line": {"color": colour["stage-blue"], "width": 2.5, "shape": "hv"}, "marker": {"size": 4},
            "hovertemplate": "%{x|%Y-%m-%d} 实际 %{y:.1f}%<extra></extra>",
        },
    ]  # fmt: skip
    happened = [(word, on, symbol, key) for word, on, symbol, key in (
        ("开工", started_on, "square", "stage-green"), ("完工", completed_on, "circle", "stage-blue"),
    ) if on]  # fmt: skip
    if happened:
        data.append({
            "type": "scatter", "mode": "markers+text", "name": "实际开工、完工", "x": [on.isoformat() for _, on, _, _ in happened],
            "y": [0 if word == "开工" else 100 for word, _, _, _ in happened],
            "text": [word for word, _, _, _ in happened], "textposition": ["top right" if w == "开工" else "bottom left" for w, _, _, _ in happened],
            "marker": {"size": 12, "symbol": [s for _, _, s, _ in happened], "color": [colour[k] for _, _, _, k in happened]},
            "hovertemplate": "%{text} %{x|%Y-%m-%d}<extra></extra>",
        })  # fmt: skip
    marks = [("基线开工", version.baseline_start_on), ("基线完工", version.baseline_finish_on), ("数据截至", day)]
    return {"data": data, "layout": _layout(colour, marks)}


def planned_days(plans: Mapping[dt.date, Decimal], start_on: dt.date, finish_on: dt.date) -> list[dt.date]:
    """The days between which the plan runs straight: baseline dates and every month's end from the first to the last."""
    first, last = min([month_start(start_on), *plans]), max([month_start(finish_on), *plans])
    months = (last.year - first.year) * 12 + last.month - first.month
    ends = [month_end(add_months(first, n)) for n in range(-1, months + 1)]
    return sorted({start_on, finish_on, *ends})


def _layout(colour: dict[str, str], marks: list[tuple[str, dt.date]]) -> dict:
    return {
        "height": 340,
        "margin": {"l": 44, "r": 16, "t": 34, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "hovermode": "closest",
        "xaxis": {"type": "date", "tickformat": "%Y-%m", "gridcolor": colour["hairline"], "linecolor": colour["ink-soft"], "fixedrange": True},
        "yaxis": {
            "range": [-3, 106], "dtick": 25, "ticksuffix": "%", "gridcolor": colour["hairline"], "zeroline": False, "fixedrange": True,
        },
        "shapes": [
            {
                "type": "line", "x0": on.isoformat(), "x1": on.isoformat(), "y0": 0, "y1": 1, "yref": "paper",
                "line": {"color": colour["accent" if word == "数据截至" else "ink-faint"], "width": 1, "dash": "solid" if word == "数据截至" else "2px,3px"},
            }
            for word, on in marks
        ],
        "annotations": [
            {
                "x": on.isoformat(), "y": 0.02 if word == "数据截至" else 0.5, "yref": "paper", "text": f"{word}<br>{on}", "showarrow": False,
                "xanchor": "right", "align": "right", "font": {"size": 12, "color": colour["accent" if word == "数据截至" else "ink-soft"]},
            }
            for word, on in marks
        ],
    }  # fmt: skip

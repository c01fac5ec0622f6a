"""Figures of money for Plotly, as plain dicts; `static/js/figures.js` draws them."""

import datetime as dt
from collections.abc import Sequence

from linfen_water import palette
from projects.figures import DIGITS
from projects.funds import Group, Week
from projects.funds_rules import Sums

YI = 10_000
STEPS = (("计划", "planned_wan"), ("下达", "issued_wan"), ("到位", "in_place_wan"), ("拨付", "allocated_wan"), ("支付", "paid_wan"))


def groups(found: Sequence[Group]) -> dict:
    """For each group what is paid, what is in place beyond that and what of the plan has not come: one bar each, the largest on top."""
    colour = palette.colours()
    shown = list(found)
    parts = [
        ("已支付", [g.sums.paid_wan for g in shown], colour["stage-blue"]),
        ("已到位未支付", [max(g.sums.in_place_wan - g.sums.paid_wan, 0) for g in shown], colour["river"]),
        ("缺口", [g.sums.gap_wan for g in shown], colour["hairline"]),
    ]
    return {
        "data": [
            {
                "type": "bar", "orientation": "h", "name": word, "y": [g.label for g in shown],
                "x": [round(float(value) / YI, 4) for value in values], "marker": {"color": fill},
                "hovertemplate": "%{y} " + word + " %{x:.2f} 亿元<extra></extra>",
            }
            for word, values, fill in parts
        ],
        "layout": {
            **_frame(colour), "height": 92 + 26 * len(shown), "barmode": "stack", "bargap": 0.35,
            "yaxis": {"autorange": "reversed", "automargin": True, "fixedrange": True},
            "xaxis": {"gridcolor": colour["hairline"], "fixedrange": True, "ticksuffix": " 亿元", "zeroline": False},
        },
    }  # fmt: skip


def course(weeks: Sequence[Week], sums: Sums, day: dt.date) -> dict:
    """The cumulative money of a project by week, with what is planned and issued as levels."""
    colour = palette.colours()
    days = [week.cut_off_on.isoformat() for week in weeks]
    lines = [
        ("到位", "in_place_wan", {"color": colour["stage-green"], "width": 3, "shape": "hv"}),
        ("拨付", "allocated_wan", {"color": colour["accent"], "width": 2, "shape": "hv"}),
        ("支付", "paid_wan", {"color": colour["stage-blue"], "width": 3, "shape": "hv"}),
        ("完成投资", "completed_wan", {"color": colour["ink-soft"], "width": 2, "dash": "2px,3px"}),
    ]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": word, "x": days, "line": line,
            "y": [float(getattr(week.total, name)) for week in weeks],
            "hovertemplate": "%{x|%Y-%m-%d} " + word + " %{y:.2f} 万元<extra></extra>",
        }
        for word, name, line in lines
    ]  # fmt: skip
    levels = [("计划", sums.planned_wan, "dash"), ("下达", sums.issued_wan, "dot")]
    grid = {"gridcolor": colour["hairline"], "fixedrange": True}
    return {
        "data": data,
        "layout": {
            **_frame(colour), "height": 340, "hovermode": "closest",
            "xaxis": grid | {"type": "date", "tickformat": "%Y-%m", "linecolor": colour["ink-soft"]},
            "yaxis": grid | {"rangemode": "tozero", "zeroline": False, "ticksuffix": " 万"},
            "shapes": [
                {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": float(value), "y1": float(value),
                 "line": {"width": 1.4, "color": colour["ink-soft"], "dash": dash}}
                for _, value, dash in levels if value
            ],
            "annotations": [
                {"xref": "paper", "x": 0.01 + 0.2 * place, "y": float(value), "yanchor": "bottom", "xanchor": "left", "showarrow": False,
                 "text": f"{word} {float(value):,.2f}", "font": {"size": 12, "color": colour["ink-soft"]}}
                for place, (word, value, _) in enumerate(levels) if value
            ],
        },
    }  # fmt: skip


def _frame(colour: dict[str, str]) -> dict:
    return {
        "margin": {"l": 56, "r": 16, "t": 34, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
    }

"""The Gantt of a project's permits for Plotly, as plain dicts; `static/js/figures.js` draws it."""

import datetime as dt
from html import escape

from linfen_water import palette
from projects.enums import PermitKind, PermitState
from projects.figures import DIGITS
from projects.permit_rules import Plan, Step

DAY_MS = 86_400_000
ROW = 27  # pixels
NAMES = {PermitState.OBTAINED: "已办结", PermitState.IN_PROGRESS: "办理中（到预计办结）", PermitState.NOT_SUBMITTED: "未办理（倒排预计）"}


def gantt(plan: Plan) -> dict:
    """A bar a paper, the first on top; the critical chain is outlined in ink and its names are marked; ▼ the latest day."""
    colour = palette.colours()
    steps = sorted(plan.steps, key=lambda step: (step.likely_start_on, step.likely_end_on))
    fills = {
        PermitState.OBTAINED: colour["hairline"],
        PermitState.IN_PROGRESS: colour["accent"],
        PermitState.NOT_SUBMITTED: colour["accent-soft"],
    }
    data = [_bars(word, [s for s in steps if s.state == state], fills[state], colour) for state, word in NAMES.items()]
    latest = [s for s in steps if s.latest_end_on]
    if latest:
        data.append(_latest(latest, colour))
    return {"data": [trace for trace in data if trace["y"]], "layout": _layout(plan, steps, colour)}


def name(step: Step) -> str:
    """A paper's name in the figure: ● on the critical chain, its parallel group behind it."""
    group = f" · {escape(step.paper.parallel_group)}" if step.paper.parallel_group else ""
    return f"{'● ' if step.is_critical else ''}{PermitKind(step.kind).label}{group}"


def _bars(word: str, steps: list[Step], fill: str, colour: dict[str, str]) -> dict:
    return {
        "type": "bar", "orientation": "h", "name": word,
        "base": [step.likely_start_on.isoformat() for step in steps],
        "x": [max((step.likely_end_on - step.likely_start_on).days, 1) * DAY_MS for step in steps],
        "y": [name(step) for step in steps],
        "width": 0.62,
        "marker": {
            "color": fill,
            "line": {
                "color": [colour["ink"] if step.is_critical else colour["accent"] for step in steps],
                "width": [2.2 if step.is_critical else 0.6 for step in steps],
            },
        },
        "text": [f"{step.likely_start_on} 至 {step.likely_end_on}<br>{escape(step.sentence)}" for step in steps],
        "textposition": "none",
        "hovertemplate": "%{y}<br>%{text}<extra></extra>",
    }  # fmt: skip


def _latest(steps: list[Step], colour: dict[str, str]) -> dict:
    return {
        "type": "scatter", "mode": "markers", "name": "最迟办结",
        "x": [step.latest_end_on.isoformat() for step in steps if step.latest_end_on], "y": [name(step) for step in steps],
        "marker": {"symbol": "triangle-down", "size": 11, "color": colour["bad"]},
        "hovertemplate": "%{y}<br>最迟 %{x|%Y-%m-%d} 办结<extra></extra>",
    }  # fmt: skip


def _layout(plan: Plan, steps: list[Step], colour: dict[str, str]) -> dict:
    marks = [("数据截至", plan.day, colour["accent"]), (plan.target_word, plan.target_on, colour["ink-soft"])]
    days = [d for s in steps for d in (s.likely_start_on, s.likely_end_on, s.latest_end_on) if d] + [on for _, on, _ in marks]
    first, last = min(days), max(days)
    room = dt.timedelta(days=max((last - first).days // 14, 4))
    grid = {"gridcolor": colour["hairline"], "fixedrange": True, "zeroline": False}
    return {
        "height": 104 + ROW * len(steps),
        "margin": {"l": 8, "r": 14, "t": 62, "b": 34},
        "barmode": "overlay",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 14, "color": colour["ink"]},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
        "hovermode": "closest",
        "xaxis": grid | {
            "type": "date", "range": [(first - room).isoformat(), (last + room).isoformat()], "tickformat": "%Y-%m-%d", "nticks": 7,
        },
        "yaxis": grid | {
            "type": "category", "automargin": True, "categoryorder": "array", "categoryarray": [name(step) for step in reversed(steps)],
        },
        "shapes": [
            {"type": "line", "x0": on.isoformat(), "x1": on.isoformat(), "y0": 0, "y1": 1, "yref": "paper",
             "line": {"width": 1.4, "color": tone, "dash": "solid" if word == "数据截至" else "5px,4px"}}
            for word, on, tone in marks
        ],
        "annotations": [
            {"x": on.isoformat(), "y": 0, "yref": "paper", "yshift": 17 * place, "text": f"{word} {on}", "showarrow": False,
             "xanchor": "right" if on - first > last - on else "left", "yanchor": "bottom",
             "font": {"size": 12, "color": tone}, "bgcolor": colour["sheet"]}
            for place, (word, on, tone) in enumerate(marks)
        ],
    }  # fmt: skip

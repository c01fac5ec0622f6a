"""The figure of the page of all sections for Plotly, as a plain dict; `static/js/figures.js` draws it."""

from collections.abc import Mapping

from linfen_water import palette
from monitoring.figures import DIGITS
from monitoring.maps import Share
from monitoring.rules import Shares

HEIGHT = 280  # pixels
TICKS = [0, 25, 50, 75, 100]
TOP = 112  # percent: room for the words above a full bar


def percent(share: Share):
    """Share of good sections in percent, as printed everywhere; None of none evaluated."""
    return Shares(share.evaluated, share.good, 0).good_share


def good_shares(years: Mapping[int, Share]) -> dict:
    """A bar a year, each with its percentage and the sections it counts; a year without evaluated sections has no bar."""
    colour = palette.colours()
    known = [(f"{year}年", share, percent(share)) for year, share in years.items() if share.evaluated]
    bars = {
        "type": "bar",
        "width": 0.5,
        "x": [year for year, _, _ in known],
        "y": [float(value) for _, _, value in known],
        "text": [f"<b>{value}%</b><br>{share.good}/{share.evaluated}" for _, share, value in known],
        "textposition": "inside",
        "insidetextanchor": "end",
        "insidetextfont": {"size": 16, "color": colour["water-3-digit"]},
        "marker": {"color": colour["water-3"]},
        "hovertemplate": "%{x} Ⅰ～Ⅲ类 %{text}<extra></extra>",
    }
    axis = {"gridcolor": colour["hairline"], "fixedrange": True, "zeroline": False}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 48, "r": 12, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "size": 15, "color": colour["ink"]},
        "showlegend": False,
        "xaxis": axis | {"type": "category", "showgrid": False, "linecolor": colour["ink-soft"]},
        "yaxis": axis | {"range": [0, TOP], "tickvals": TICKS, "ticktext": [f"{tick}%" for tick in TICKS]},
    }
    return {"data": [bars], "layout": layout}

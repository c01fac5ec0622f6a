"""Figures of the wall for Plotly: plain dicts with empty columns, which `static/js/wall.js` fills from the data document.

Only cartesian scatter traces: geo and map traces want a CDN or a GPU (docs/adr/0006). Sizes are pixels of the reference
panel, one map of a 1920 × 1080 wall; the browser scales them with the panel it has.
"""

from linfen_water import palette

REFERENCE_PANEL = (613, 500)  # pixels of one map on a 1920 × 1080 wall
MOST_BUTTONS = 1500  # on a screen: more are no faster to draw, and no longer to read from across a room, than counts
MOST_PROJECTS = MOST_BUTTONS // 3  # each has a button on map 1, on map 2 and on the board of the counties
MOST_DRILLED = 800  # of an opened county: rows of small magnets fill its map
MOST_COVERED = 0.42  # of the panel by the buttons of map 2: names, gaps and rows that do not fill need the rest
MAGNET_PITCH = 25  # from button to button on map 2
DISC_SPACING = 20  # between discs on map 1
NATIONAL_SPACING = 35  # a national section with its ring
SECTION_SPACING = 20
COUNTY_NAME = 17  # font sizes
SECTION_NAME = 15
RIVER_NAME = 16

DIGITS = '"Barlow Semi Condensed", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "Title Song", sans-serif'
STAGES = {
    # A diamond is drawn wider than its size says, a square looks larger than a disc: these look alike.
    "1": {"symbol": "diamond", "size": 20.8, "token": "stage-red"},
    "2": {"symbol": "square", "size": 19.0, "token": "stage-green"},
    "3": {"symbol": "circle", "size": 21.6, "token": "stage-blue"},
}
RING = 3.4  # width of the line around a button that changed in the week shown

# Map 1 by choice: a shape and a colour each, none of them a stage's.
_SHAPES = (("circle", 18.6), ("square", 16.6), ("diamond", 17.6), ("pentagon", 20.0), ("hexagon", 19.6), ("triangle-up", 25.0))
DOMAINS = [{"symbol": _SHAPES[n % 6][0], "size": _SHAPES[n % 6][1], "token": f"mark-{n + 1}"} for n in range(8)]
_PLAIN = {"symbol": "circle", "size": 18.6, "token": "sheet", "digit": "ink"}
RISKS = {
    "normal": _PLAIN,
    "behind": {"symbol": "triangle-up", "size": 25.0, "token": "mark-1", "digit": "mark-digit"},
    "far_behind": {"symbol": "triangle-down", "size": 26.0, "token": "mark-bad", "digit": "mark-bad-digit"},
    "unreported": {"symbol": "square", "size": 16.6, "token": "mark-6", "digit": "mark-digit"},
}
LAGS = {  # the disc then holds the points instead of the number
    "ahead": _PLAIN,
    "some": {"symbol": "circle", "size": 18.6, "token": "mark-8", "digit": "mark-digit"},
    "behind": {"symbol": "square", "size": 17.6, "token": "mark-1", "digit": "mark-digit"},
    "far_behind": {"symbol": "diamond", "size": 20.8, "token": "mark-bad", "digit": "mark-bad-digit"},
    "unreported": {"symbol": "hexagon", "size": 18.6, "token": "mark-6", "digit": "mark-digit"},
    "finished": {"symbol": "circle", "size": 9.0, "token": "ink-faint", "digit": "ink-faint"},
}


def pixels_per_km(size: tuple[float, float]) -> float:
    """The scale at which a map of `size` km fits the reference panel."""
    return min(REFERENCE_PANEL[0] / size[0], REFERENCE_PANEL[1] / size[1])


def wall_figures(size: tuple[float, float], theme: str) -> dict:
    """All figures of the wall in one theme, and the colours that depend on the data."""
    colour = palette.colours(theme)
    return {
        "reference": REFERENCE_PANEL,
        "stages": {
            key: stage | {"color": colour[stage["token"]], "digit": colour[f"{stage['token']}-digit"]} for key, stage in STAGES.items()
        },
        "ring": RING,
        "domains": [mark | {"color": colour[mark["token"]], "digit": colour["mark-digit"]} for mark in DOMAINS],
        "risks": {key: mark | {"color": colour[mark["token"]], "digit": colour[mark["digit"]]} for key, mark in RISKS.items()},
        "lags": {key: mark | {"color": colour[mark["token"]], "digit": colour[mark["digit"]]} for key, mark in LAGS.items()},
        "water": {str(n): {"color": colour[f"water-{n}"], "digit": colour[f"water-{n}-digit"]} for n in range(7)},
        "maps": [_map(size, traces(colour), colour) for traces in (_sites, _magnets, _sections)],
        "time": _time(colour),
        "board": _board(colour),
    }


def _text(name: str, size: float, color: str, halo: str = "", **more) -> dict:
    font = {"size": size, "color": color, "family": DIGITS}
    if halo:
        font["shadow"] = ", ".join([f"0 0 {blur}px {halo}" for blur in (2, 3, 3, 5)])  # readable over lines and borders
    return {
        "type": "scatter", "mode": "text", "name": name, "x": [], "y": [], "text": [], "hoverinfo": "skip",
        "textposition": "middle center", "textfont": font, "cliponaxis": False, **more,
    }  # fmt: skip


def _lines(name: str, width: float, color: str, **more) -> dict:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [], "y": [], "hoverinfo": "skip",
        "line": {"width": width, "color": color, "simplify": False}, **more,
    }  # fmt: skip


def _points(name: str, size: float, color: str, **more) -> dict:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": [], "y": [], "hoverinfo": "skip",
        "marker": {"size": size, "color": color, "opacity": 1, "line": {"width": 0}}, **more,
    }  # fmt: skip


def _buttons(name: str, size: float, text_size: float, **marker) -> dict:
    return {
        "type": "scatter", "mode": "markers+text", "name": name, "x": [], "y": [], "text": [], "customdata": [],
        "hoverinfo": "none", "textposition": "middle center", "cliponaxis": False,
        "textfont": {"size": text_size, "weight": 600, "family": DIGITS},
        "marker": {"size": size, "opacity": 1, **marker},
    }  # fmt: skip


def _ground(colour: dict) -> list[dict]:
    """A county seen alone: the rest veiled, its border drawn. Empty while the whole region is shown."""
    veil = {"fill": "toself", "fillcolor": colour["paper"], "opacity": 0.72}
    return [_lines("veil", 0, colour["paper"], **veil), _lines("border", 2, colour["accent"])]


def _sites(colour: dict) -> list[dict]:
    disc = _buttons("discs", 18.6, 12, color=colour["sheet"], line={"width": 1.2, "color": colour["ink"]})
    disc["textfont"]["color"] = colour["ink"]
    return [
        *_ground(colour),
        _text("counties", COUNTY_NAME, colour["ink-soft"], colour["map-land"]),
        _lines("leaders", 0.9, colour["ink-soft"]),
        _points("sites", 3, colour["ink-soft"]),
        disc,
    ]


def _magnets(colour: dict) -> list[dict]:
    """A button's own line is its ring in the week of a change: the browser turns it on and off without drawing anew."""
    return [
        *_ground(colour),
        _lines("leaders", 1.1, colour["ink-soft"]),
        _points("anchors", 5, colour["ink-soft"]),
        _text("counties", COUNTY_NAME, colour["ink"], colour["map-land"]),
        _buttons("magnets", 21, 12.8, line={"width": [], "color": colour["ink"]}),
    ]


def _sections(colour: dict) -> list[dict]:
    national = _buttons("national", 27, 14.5, line={"width": 2.8, "color": colour["ink"]})
    return [
        *_ground(colour),
        _points("projects", 3.4, colour["ink-faint"], opacity=0.55),
        _text("counties", COUNTY_NAME - 1, colour["ink-faint"], colour["map-land"]),
        _text("rivers", RIVER_NAME, colour["river-ink"], colour["map-land"]),
        _lines("leaders", 0.9, colour["ink-soft"]),
        _points("sites", 3, colour["ink-soft"]),
        _buttons("sections", 18, 11, line={"width": 0}),
        national,
        _text("names", SECTION_NAME, colour["ink"], colour["map-land"]),
    ]


def _map(size: tuple[float, float], traces: list[dict], colour: dict) -> dict:
    """The ground is not here: it lies under the plot, in the page itself."""
    width, height = size
    return {"data": traces, "layout": _layout(colour) | {"xaxis": _axis(range=[0, width]), "yaxis": _axis(range=[0, height]), "images": []}}


def _time(colour: dict) -> dict:
    """How the stages moved: what was, in full colour; what is planned, dimmed, on the other side of the day."""
    return {
        "data": [
            _area(f"{when}-{stage}", when, colour[STAGES[stage]["token"]], colour["paper"], opacity)
            for when, opacity in (("past", 0.92), ("planned", 0.3))
            for stage in ("3", "2", "1")
        ],
        "layout": _layout(colour)
        | {
            "margin": {"l": 0, "r": 0, "t": 0, "b": 24, "pad": 0},
            "xaxis": _axis(visible=True, showgrid=False, zeroline=False, ticks="outside", ticklen=5, tickcolor=colour["hairline"]),
            "yaxis": _axis(range=[0, 1]),
        },
    }


def _area(name: str, group: str, color: str, edge: str, opacity: float) -> dict:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [], "y": [], "stackgroup": group, "hoverinfo": "skip",
        "line": {"width": 1.2, "color": edge, "shape": "linear"}, "fillcolor": _faded(color, opacity),
    }  # fmt: skip


def _faded(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _board(colour: dict) -> dict:
    """One column of buttons per county, finished ones below; names and n/m stand below it in the page."""
    return {
        "data": [_buttons("magnets", 13, 1, line={"width": [], "color": colour["ink"]}) | {"mode": "markers"}],
        "layout": _layout(colour) | {"xaxis": _axis(range=[-0.5, 1]), "yaxis": _axis(range=[0, 10])},
    }


def _axis(**more) -> dict:
    return {"visible": False, "fixedrange": True, **more}


def _layout(colour: dict) -> dict:
    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0},
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": DIGITS, "color": colour["ink-soft"], "size": 14.5},
    }

"""The three maps of the wall (挂图) as drawings of a paper: what stood where on a day, and their SVG.

Places come from the wall's own document, so a button stands on paper where it hangs on the wall. Everything that is drawn
is frozen with the facts. Shapes back the colours, since papers are copied in black and white: ◆ 前期, ■ 开工, ● 完工.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from ledgers.documents import fonts
from linfen_water.enums import Role
from linfen_water.models import Region, User
from linfen_water.palette import colours
from monitoring.enums import Level, WaterClass
from projects import charts, geo, wall
from projects.enums import Stage

INK, SOFT, FAINT = "#000000", "#555555", "#8a8a8a"
COUNTED = "县名下为完工个数／项目总数"
LEGEND = 26  # pixels of the reference panel under each map
Place = tuple[float, ...]  # x, y in km of the map; empty when there is none


@dataclasses.dataclass(frozen=True)
class Button:
    """A project: its number, its stage on the day, its place on map 1 (site and disc) and on map 2."""

    number: str
    stage: int
    site: Place
    disc: Place
    magnet: Place


@dataclasses.dataclass(frozen=True)
class Name:
    """A county's or river's name and where it is written on each map; `leader` leads to a county whose buttons stand beside it."""

    text: str
    sites: Place = ()
    magnets: Place = ()
    sections: Place = ()
    leader: Place = ()
    finished: int = 0
    count: int = 0


@dataclasses.dataclass(frozen=True)
class SectionMark:
    name: str
    water_class: int  # 0: not evaluated
    is_national: bool
    site: Place
    place: Place
    title: Place


@dataclasses.dataclass(frozen=True)
class MapFacts:
    """All that the three drawings need. `ground` is the still ground as SVG, made from the pack's own outlines alone."""

    size: Place
    ground: str
    attribution: str
    schematic_note: str
    is_dense: bool
    buttons: tuple[Button, ...]
    counties: tuple[Name, ...]
    rivers: tuple[Name, ...]
    sections: tuple[SectionMark, ...]
    buttons_scale: float = 1.0  # of buttons and names, against those of a map with room


def gather(region: Region, day: dt.date) -> MapFacts:
    """The wall as of `day`, as the office sees it. The number of queries is fixed."""
    seen = wall.document(region, User(role=Role.OFFICE), day)
    settings = region.settings.get("wall", {})
    return MapFacts(
        size=tuple(seen["size"]),
        ground=geo.base_svg(wall.land_of(region), "light").decode(),
        attribution=settings.get("attribution", ""),
        schematic_note=settings.get("schematic_note", ""),
        is_dense=bool(seen["is_dense"]),
        buttons=tuple(_buttons(seen["projects"])) if not seen["is_dense"] else (),
        counties=tuple(_counties(seen)),
        rivers=tuple(Name(r["name"], sections=_place(r["place"])) for r in seen["rivers"]),
        sections=tuple(_section(s) for s in seen["sections"]),
        buttons_scale=seen["scale"],
    )


def _place(found) -> Place:
    return tuple(found) if found else ()


def _stage(started, completed) -> Stage:
    return Stage.FINISHED if completed else Stage.UNDER_CONSTRUCTION if started else Stage.NOT_STARTED


def _buttons(columns: dict) -> Iterable[Button]:
    names = ("number", "started_on", "completed_on", "x", "y", "disc_x", "disc_y", "magnet_x", "magnet_y")
    for number, started, completed, x, y, disc_x, disc_y, magnet_x, magnet_y in zip(*(columns[n] for n in names), strict=True):
        site = () if x is None or y is None else (x, y)
        yield Button(str(number or ""), _stage(started, completed), site, (disc_x, disc_y), (magnet_x, magnet_y))


def _counties(seen: dict) -> Iterable[Name]:
    columns, counts = seen["counties"], wall.county_counts(seen)
    rows = zip(*(columns[n] for n in ("name", "short", "title_1", "title_2", "title_3", "leader_2")), strict=True)
    for name, short, sites, magnets, sections, leader in rows:
        yield Name(
            short, _place(sites), _place(magnets), _place(sections), tuple(v for point in leader or () for v in point),
            *counts[name],
        )  # fmt: skip


def _section(found: dict) -> SectionMark:
    site = () if found["x"] is None else (found["x"], found["y"])
    is_national = found["level"] == Level.NATIONAL
    return SectionMark(found["name"], int(found["class"] or 0), is_national, site, _place(found["place"]), _place(found["title"]))


# ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Sheet:
    """One drawing in pixels of the wall's reference panel: the sizes that places were made for, `k` times on a crowded map."""

    def __init__(self, facts: MapFacts):
        self.facts = facts
        self.scale = charts.pixels_per_km((facts.size[0], facts.size[1]))
        self.k = facts.buttons_scale
        self.width, self.height = facts.size[0] * self.scale, facts.size[1] * self.scale
        body = facts.ground.partition(">")[2].rpartition("</svg>")[0]
        self.parts = [f'<g transform="scale({self.scale:.4f})">{body}</g>']

    def at(self, place: Place) -> tuple[float, float]:
        return place[0] * self.scale, self.height - place[1] * self.scale

    def line(self, start: Place, end: Place, colour: str = SOFT, width: float = 0.8) -> None:
        (x1, y1), (x2, y2) = self.at(start), self.at(end)
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width}" fill="none"/>')

    def dot(self, place: Place, radius: float, fill: str) -> None:
        x, y = self.at(place)
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}"/>')

    def words(self, place: Place, text: str, size: float, fill: str = INK, *, halo: bool = True, anchor: str = "middle") -> None:
        if place:
            x, y = self.at(place)
            self.write(x, y, text, size * self.k, fill, halo=halo, anchor=anchor)

    def write(self, x: float, y: float, text: str, size: float, fill: str = INK, *, halo: bool = False, anchor: str = "middle") -> None:
        """Middle of the words at x, y; a halo is the words drawn twice, first as a thick pale outline."""
        family = quoteattr(", ".join(fonts.families("hei")))
        said = escape(fonts.clean(text))
        form = f'x="{x:.1f}" y="{y + size * 0.36:.1f}" font-family={family} font-size="{size}" text-anchor="{anchor}"'
        if halo:
            pale = colours()["map-land"]
            self.parts.append(f'<text {form} fill="{pale}" stroke="{pale}" stroke-width="3" stroke-linejoin="round">{said}</text>')
        self.parts.append(f'<text {form} fill="{fill}">{said}</text>')

    def button(self, place: Place, stage: int, text: str, radius: float = 10.5) -> None:
        (x, y), radius = self.at(place), round(radius * self.k, 1)
        self.shape(x, y, stage, radius)
        self.write(x, y, text, radius * 1.16 if len(text) < 3 else radius * 0.95, colours()[f"{_token(stage)}-digit"])

    def shape(self, x: float, y: float, stage: int, radius: float) -> None:
        fill = colours()[_token(stage)]
        if stage == Stage.FINISHED:
            drawn = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"'
        elif stage == Stage.UNDER_CONSTRUCTION:
            half = radius * 0.9
            drawn = f'<rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}"'
        else:
            tip = radius * 1.25
            drawn = f'<path d="M{x:.1f} {y - tip:.1f}l{tip:.1f} {tip:.1f}l{-tip:.1f} {tip:.1f}l{-tip:.1f} {-tip:.1f}z"'
        self.parts.append(f'{drawn} fill="{fill}"/>')

    def svg(self) -> str:
        """The drawing with what must stand under every map: whose outlines they are."""
        facts = self.facts
        note = "　".join(filter(None, [facts.attribution, facts.schematic_note]))
        self.write(self.width / 2, self.height + LEGEND + 10, note, 8.5, SOFT)
        box = f"0 0 {self.width:.1f} {self.height + LEGEND + 20:.1f}"
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{"".join(self.parts)}</svg>'


def sites_map(facts: MapFacts) -> str:
    """图一: every project by its number next to its site."""
    sheet = _Sheet(facts)
    _name_counties(sheet, [(c.text, c.sites) for c in facts.counties], SOFT)
    _count_counties(sheet)
    for button in facts.buttons:
        if button.site and button.site != button.disc:
            sheet.line(button.site, button.disc)
            sheet.dot(button.site, 1.5, SOFT)
    for button in facts.buttons:
        x, y = sheet.at(button.disc)
        sheet.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{9.3 * sheet.k:.1f}" fill="#ffffff" stroke="{INK}" stroke-width="1"/>')
        sheet.write(x, y, button.number, sheet.k * (11 if len(button.number) < 3 else 8.5))
    said = COUNTED if facts.is_dense else "数字为工程编号，圆圈在项目点位旁，细线引向点位"
    sheet.write(sheet.width / 2, sheet.height + LEGEND / 2, said, 11, SOFT)
    return sheet.svg()


def progress_map(facts: MapFacts) -> str:
    """图二: one button per project in its stage's colour and shape, in rows by county."""
    sheet = _Sheet(facts)
    for county in facts.counties:
        if county.leader:
            sheet.line(county.leader[:2], county.leader[2:], width=1)
    _name_counties(sheet, [(c.text, c.magnets) for c in facts.counties], INK)
    _count_counties(sheet)
    for button in facts.buttons:
        sheet.button(button.magnet, button.stage, button.number)
    if facts.is_dense:
        sheet.write(sheet.width / 2, sheet.height + LEGEND / 2, COUNTED, 11, SOFT)
    else:
        _stage_legend(sheet)
    return sheet.svg()


def sections_map(facts: MapFacts) -> str:
    """图三: sections with the class of their latest published month; national ones large with a ring."""
    sheet = _Sheet(facts)
    for button in facts.buttons:
        if button.site:
            sheet.dot(button.site, 1.4, FAINT)
    _name_counties(sheet, [(c.text, c.sections) for c in facts.counties], FAINT)
    for river in facts.rivers:
        sheet.words(river.sections, river.text, charts.RIVER_NAME, colours()["river-ink"])
    for section in facts.sections:
        if section.site and section.place and section.site != section.place:
            sheet.line(section.site, section.place)
            sheet.dot(section.site, 1.5, SOFT)
    for section in sorted(facts.sections, key=lambda s: s.is_national):
        _section_disc(sheet, section)
    for section in facts.sections:
        sheet.words(section.title, section.name, charts.SECTION_NAME - 1)
    _class_legend(sheet)
    return sheet.svg()


def _name_counties(sheet: _Sheet, names: list[tuple[str, Place]], fill: str) -> None:
    for text, place in names:
        sheet.words(place, text, charts.COUNTY_NAME - 2, fill)


def _count_counties(sheet: _Sheet) -> None:
    """With too many projects for a button each: finished and all of a county under its name."""
    for county in sheet.facts.counties if sheet.facts.is_dense else ():
        if place := county.magnets or county.sites:
            x, y = sheet.at(place)
            sheet.write(x, y + charts.COUNTY_NAME * sheet.k, f"{county.finished}/{county.count}", 12 * sheet.k, halo=True)


def _section_disc(sheet: _Sheet, section: SectionMark) -> None:
    place = section.place or section.site
    if not place:
        return
    x, y = sheet.at(place)
    radius = round(sheet.k * (12.5 if section.is_national else 8.5), 1)
    ring = f' stroke="{INK}" stroke-width="2.2"' if section.is_national else ""
    sheet.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colours()[f"water-{section.water_class}"]}"{ring}/>')
    sheet.write(x, y, _roman(section.water_class), radius, colours()[f"water-{section.water_class}-digit"])


def _token(stage: int) -> str:
    return str(charts.STAGES[str(int(stage))]["token"])


def _roman(water_class: int) -> str:
    return WaterClass(water_class).label.replace("劣Ⅴ", "劣") if water_class else "—"


def _stage_legend(sheet: _Sheet) -> None:
    x, y = sheet.width / 2 - 110, sheet.height + LEGEND / 2
    for stage, word in ((Stage.NOT_STARTED, "前期"), (Stage.UNDER_CONSTRUCTION, "开工"), (Stage.FINISHED, "完工")):
        sheet.shape(x, y, stage, 6)
        sheet.write(x + 12, y, word, 12, anchor="start")
        x += 80


def _class_legend(sheet: _Sheet) -> None:
    x, y = 40.0, sheet.height + LEGEND / 2
    for water_class in (*WaterClass, 0):
        sheet.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colours()[f"water-{int(water_class)}"]}"/>')
        words = f"{WaterClass(water_class).label}类" if water_class else "未评价"
        sheet.write(x + 10, y, words, 11, anchor="start")
        x += 22 + 11 * len(words)
    sheet.write(x + 4, y, "大圆为国考断面", 11, SOFT, anchor="start")

"""An invented region of any size and shape, grown from a seed, to see that nothing in the product knows its city.

    python -m tests.regions.grown FOLDER                          # a pack of 120 counties: load_region FOLDER
    python -m tests.regions.grown FOLDER --projects 10000         # … and its projects, into the office that the settings name
    DATA_DIR=/tmp/grown REGION=FOLDER manage.py runserver         # look at it

Counties are the cells of a Voronoi diagram within a blob, some crowded together and some large. Everything is 演示数据.
"""

import argparse
import csv
import datetime as dt
import json
import math
import os
import random
from pathlib import Path

import shapely
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

MIDDLE = (104.0, 31.0)  # WGS84 degrees
SPAN = 2.4
NOTE = "演示数据，虚构"
HEADS = "安北长东福高和金九开兰龙明南宁平清荣上石泰文西新阳永玉元云中"
TAILS = "安川丰谷河江岭陵溪山塘亭湾兴源洲"


def outlines(units: int, seed: int, aspect: float = 1.2) -> list[shapely.Polygon]:
    """`units` cells of one crooked area; `aspect` is its width against its height."""
    dice = random.Random(f"{units} {seed} {aspect}")
    area = _blob(dice, aspect)
    x0, y0, x1, y1 = area.bounds
    knots = [(dice.uniform(x0, x1), dice.uniform(y0, y1)) for _ in range(max(1, units // 20))]  # where counties crowd
    points: list[tuple[float, float]] = []
    while len(points) < units:
        near = dice.choice(knots) if dice.random() < 0.4 else None
        x, y = (dice.gauss(near[0], SPAN / 9), dice.gauss(near[1], SPAN / 9)) if near else (dice.uniform(x0, x1), dice.uniform(y0, y1))
        apart = 0.35 * math.sqrt(area.area / units)
        if area.contains(shapely.Point(x, y)) and all(math.dist((x, y), other) > apart for other in points):
            points.append((x, y))
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=area).geoms
    parts = [max(shapely.get_parts(cell.intersection(area)), key=lambda part: part.area) for cell in cells]
    return sorted((shapely.set_precision(part, 1e-5) for part in parts), key=lambda p: (-p.centroid.y, p.centroid.x))


def _blob(dice: random.Random, aspect: float) -> shapely.Polygon:
    waves = [(n, dice.uniform(0, 0.22 / n), dice.uniform(0, math.tau)) for n in range(1, 7)]
    ring = []
    for step in range(180):
        angle = math.tau * step / 180
        radius = SPAN / 2 * (1 + sum(size * math.cos(n * angle + turn) for n, size, turn in waves))
        ring.append((MIDDLE[0] + radius * math.sqrt(aspect) * math.cos(angle), MIDDLE[1] + radius / math.sqrt(aspect) * math.sin(angle)))
    return shapely.make_valid(shapely.Polygon(ring))


def write(folder: Path, units: int = 120, seed: int = 1, aspect: float = 1.2) -> Path:
    """Write the pack; the same arguments give the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    cells, names = outlines(units, seed, aspect), _names(units, seed)
    codes = [f"98{n:04}" for n in range(units)]
    seats = [cell.representative_point() for cell in cells]
    _json(folder / "region.json", _head(units))
    _json(folder / "counties.geojson", _collection(zip(cells, ({"adcode": code} for code in codes), strict=True)))
    places = [(round(seat.x, 5), round(seat.y, 5)) for seat in seats]
    rows = [(code, f"{name}县", name, "county", *place, NOTE) for code, name, place in zip(codes, names, places, strict=True)]
    _csv(folder / "counties.csv", ["code", "name", "short", "kind", "seat_lon", "seat_lat", "note"], rows)
    departments = [("zb", "虚构市清水专班办", "office", "", ""), ("hj", "虚构市生态环境局", "department", "生态环境", ""),
                   ("sl", "虚构市水务局", "department", "水务", ""), ("zj", "虚构市住房城乡建设局", "department", "住建", "")]  # fmt: skip
    counties = [(code, f"{name}县人民政府", "county", "", code) for code, name in zip(codes, names, strict=True)]
    _csv(folder / "units.csv", ["code", "name", "kind", "domain", "county_code", "note"], ((*row, NOTE) for row in departments + counties))
    rivers = _rivers(cells, seed)
    _json(
        folder / "rivers.geojson",
        _collection((line, {"name": name, "rank": rank, "parent": parent}) for name, rank, parent, line in rivers),
    )
    _csv(folder / "sections.csv", ["name", "river", "county_code", "level", "lon", "lat", "source"], _sections(rivers, cells, codes))
    return folder


def _head(units: int) -> dict:
    return {
        "slug": f"grown-{units}", "name": "虚构市", "programme": "清水入江",
        "domains": ["生态环境", "水务", "住建"], "county_word": "县（市、区）",
        "office": {"name": "虚构市清水专班办公室（演示数据）", "short": "市清水办",
                   "prefixes": {"bulletin": "虚清水办", "weekly": "虚清水办"},
                   "bulletin": {"head": "虚构市清水专班办公室文件", "addressees": "各县（市、区）人民政府", "copies_to": ""}},
        "wall": {"title": "清水入江", "subtitle": f"虚构市 {units} 个县 · 演示数据", "crs": "EPSG:4544", "trunk_rivers": ["大江"],
                 "main_rivers": ["清水"], "attribution": "虚构边界", "schematic_note": "均为演示数据"},
        "policy": {},
    }  # fmt: skip


def _names(units: int, seed: int) -> list[str]:
    pairs = [head + tail for head in HEADS for tail in TAILS]
    return random.Random(seed).sample(pairs, units)


def _rivers(cells: list[shapely.Polygon], seed: int) -> list[tuple]:
    """One river along the western border, one across, each from its source to its mouth."""
    dice, area = random.Random(seed), shapely.union_all(cells)
    x0, y0, x1, y1 = area.bounds
    trunk = shapely.LineString([(x0 + 0.02 * math.sin(9 * t), y1 + (y0 - y1) * t) for t in (n / 30 for n in range(31))])
    height = y0 + (y1 - y0) * 0.45
    main = [(x1 + (x0 - x1) * n / 24, height + 0.08 * (y1 - y0) * math.sin(n / 3) + dice.gauss(0, 0.01)) for n in range(24)]
    mouth = trunk.interpolate(trunk.project(shapely.Point(main[-1])))
    return [("大江", 1, None, trunk), ("清水", 2, "大江", shapely.LineString([*main, (mouth.x, mouth.y)]))]


def _sections(rivers: list[tuple], cells: list[shapely.Polygon], codes: list[str]) -> list[tuple]:
    rows = []
    for name, _, _, line in rivers:
        for n in range(1, 8):
            point = line.interpolate(n / 8, normalized=True)
            code = codes[min(range(len(cells)), key=lambda i, at=point: cells[i].distance(at))]
            level = "national" if n % 2 else "other"
            rows.append((f"{name}第{n}断面", name, code, level, round(point.x, 5), round(point.y, 5), NOTE))
    return rows


def _collection(parts) -> dict:
    """Exterior rings clockwise, as packs have them."""
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": properties, "geometry": mapping(orient(shape, -1.0) if shape.geom_type == "Polygon" else shape)}
        for shape, properties in parts
    ]}  # fmt: skip


def _json(path: Path, data: dict) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def _csv(path: Path, heads: list[str], rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heads, *rows])


def fill(folder: Path, projects: int, weeks: int = 1, today: dt.date = dt.date(2025, 2, 20)) -> None:
    """Load the pack and so many projects into the database of the settings, frozen at `today`."""
    from linfen_water.models import Region
    from projects.demo.scale import load_many
    from projects.regions import loading, pack

    region, _ = loading.load(pack.read(folder))
    Region.objects.filter(pk=region.pk).update(demo_on=today)
    load_many(projects, weeks, today=today)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--units", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--aspect", type=float, default=1.2)
    parser.add_argument("--projects", type=int, default=0)
    asked = parser.parse_args()
    write(asked.folder, asked.units, asked.seed, asked.aspect)
    if asked.projects:
        os.environ.update(DJANGO_SETTINGS_MODULE="linfen_water.settings", REGION=str(asked.folder))
        import django

        django.setup()
        fill(asked.folder, asked.projects)


if __name__ == "__main__":
    main()

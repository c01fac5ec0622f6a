"""Reading a region pack: files in, checked rows out, or every fault at once. Touches no database."""

import csv
import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pyproj
import shapely
from pyproj.exceptions import CRSError

from linfen_water import policy
from linfen_water.enums import CountyKind, UnitKind
from monitoring import limits
from monitoring.enums import Level, WaterBody

PACKS = Path(__file__).parent
MOUTH_METRES = 10_000  # a river that ends farther from its parent's line joins it beyond the map


class PackFaults(ValueError):
    """A pack that cannot be loaded; `faults` are Chinese sentences, each with its file and line."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclasses.dataclass(frozen=True)
class Pack:
    """A checked pack. Each row is a dict of model fields; foreign keys are still names or codes."""

    folder: Path
    settings: dict
    counties: list[dict]
    units: list[dict]
    rivers: list[dict]
    sections: list[dict]

    @property
    def slug(self) -> str:
        return self.settings["slug"]

    @property
    def domains(self) -> list[str]:
        return self.settings["domains"]


def folder_of(name: str | Path) -> Path:
    """The folder that `name` means: a path to a folder, else the name of a pack shipped here."""
    path = Path(name)
    return path if path.is_dir() else PACKS / name


def read(name: str | Path) -> Pack:
    """Read and check the pack `name`; raise PackFaults with every fault found in all its files."""
    folder, faults = folder_of(name), []
    if not folder.is_dir():
        raise PackFaults([f"找不到区域包“{name}”：既不是文件夹，也不在 {PACKS} 下。"])
    settings = _settings(folder, faults)
    outlines = _features(folder, "counties.geojson", ("Polygon", "MultiPolygon"), "adcode", faults)
    lines = _features(folder, "rivers.geojson", ("LineString",), "name", faults)
    counties = _table(folder, "counties.csv", COUNTY, faults)
    units = _table(folder, "units.csv", UNIT, faults)
    sections = _table(folder, "sections.csv", SECTION, faults)
    rivers = _rivers(lines, faults)
    _check_counties(counties, outlines, faults)
    _check_units(units, counties, settings.get("domains", []), faults)
    _check_sections(sections, counties, rivers, faults)
    if faults:
        raise PackFaults(faults)
    _measure(sections, rivers, settings["wall"]["crs"])
    return Pack(folder, settings, [_plain(r) for r in counties], [_plain(r) for r in units], rivers, [_plain(r) for r in sections])


# ── Cells: text in, value out, or ValueError with what is wrong ────────────────────────────────────────────────────


def text(longest: int) -> Callable[[str], str]:
    def convert(cell: str) -> str:
        if len(cell) > longest:
            raise ValueError(f"最多{longest}个字，现有{len(cell)}个")
        return cell

    return convert


def required(longest: int) -> Callable[[str], str]:
    def convert(cell: str) -> str:
        if not cell:
            raise ValueError("不能为空")
        return text(longest)(cell)

    return convert


def one_of(choices: Iterable[str]) -> Callable[[str], str]:
    allowed = list(choices)

    def convert(cell: str) -> str:
        if cell not in allowed:
            raise ValueError(f"“{cell}”不在 {'、'.join(allowed)} 之中")
        return cell

    return convert


def degrees(limit: int) -> Callable[[str], float]:
    def convert(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(f"“{cell}”不是经纬度（WGS84，十进制度）") from None
        if not -limit <= value <= limit:
            raise ValueError(f"“{cell}”超出 ±{limit} 度")
        return value

    return convert


def day(cell: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(cell) if cell else None
    except ValueError:
        raise ValueError(f"“{cell}”不是日期，应如 2021-01-01") from None


def item_keys(cell: str) -> list[str]:
    keys = cell.split()
    if unknown := [key for key in keys if key not in limits.table().order]:
        raise ValueError(f"标准中没有指标 {'、'.join(unknown)}")
    return keys


# Column → (model field, converter, may the column be absent). An absent column leaves the field as it is.
COUNTY = {
    "code": ("code", required(12), False),
    "name": ("name", required(50), False),
    "short": ("short", required(10), False),
    "kind": ("kind", one_of(CountyKind.values), False),
    "seat_lon": ("seat_lon", degrees(180), False),
    "seat_lat": ("seat_lat", degrees(90), False),
    "note": ("note", text(200), True),
}
UNIT = {
    "code": ("code", required(20), False),
    "name": ("name", required(60), False),
    "kind": ("kind", one_of(UnitKind.values), False),
    "domain": ("domain", text(20), False),
    "county_code": ("county", text(12), False),
    "note": ("note", text(200), True),
}
SECTION = {
    "name": ("name", required(30), False),
    "river": ("river", required(30), False),
    "county_code": ("county", required(12), False),
    "level": ("level", one_of(Level.values), False),
    "lon": ("lon", degrees(180), False),
    "lat": ("lat", degrees(90), False),
    "coord_quality": ("coord_quality", text(80), True),
    "water_body": ("water_body", one_of(WaterBody.values), True),
    "x_items": ("x_items", item_keys, True),
    "in_force_from": ("in_force_from", day, True),
    "in_force_to": ("in_force_to", day, True),
    "replaced_by": ("replaced_by", text(30), True),
    "station_name": ("station_name", text(30), True),
    "station_province": ("station_province", text(20), True),
    "source": ("source", text(120), True),
}


def _table(folder: Path, name: str, columns: dict, faults: list[str]) -> list[dict]:
    """Rows of a csv as dicts of model fields, with `_where` for faults; broken cells are reported and left out."""
    content = _content(folder, name, faults)
    if content is None:
        return []
    reader = csv.DictReader(content.splitlines(keepends=True))
    present = reader.fieldnames or []
    if absent := [c for c, (_, _, optional) in columns.items() if not optional and c not in present]:
        faults.append(f"{name} 第1行：缺少列 {'、'.join(absent)}。")
        return []
    rows = []
    for cells in reader:
        row = {"_where": f"{name} 第{reader.line_num}行"}
        if extra := cells.get(None):
            faults.append(f"{row['_where']}：比表头多{len(extra)}格（含逗号的文字要加引号）。")
        for column, (field, convert, _) in columns.items():
            if column in present:
                try:
                    row[field] = convert((cells[column] or "").strip())
                except ValueError as fault:
                    faults.append(f"{row['_where']}“{column}”：{fault}。")
        rows.append(row)
    first_column = next(iter(columns.values()))[0]
    _check_unique(rows, first_column, faults)
    return rows


def _content(folder: Path, name: str, faults: list[str]) -> str | None:
    try:
        return (folder / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        faults.append(f"{name}：文件不存在。")
    except UnicodeDecodeError:
        faults.append(f"{name}：不是 UTF-8 编码的文本。")
    return None


def _json(folder: Path, name: str, faults: list[str]) -> dict:
    content = _content(folder, name, faults)
    if content is None:
        return {}
    try:
        data = json.loads(content)
    except json.JSONDecodeError as fault:
        faults.append(f"{name} 第{fault.lineno}行：不是有效的 JSON（{fault.msg}）。")
        return {}
    if not isinstance(data, dict):
        faults.append(f"{name}：最外层应为对象。")
        return {}
    return data


def _settings(folder: Path, faults: list[str]) -> dict:
    data = _json(folder, "region.json", faults)
    if not data:
        return {}
    for key in ("slug", "name", "programme"):
        if not isinstance(data.get(key), str) or not data[key]:
            faults.append(f"region.json“{key}”：不能为空。")
    domains = data.get("domains")
    if not (isinstance(domains, list) and domains and all(isinstance(d, str) and d for d in domains)):
        faults.append("region.json“domains”：应为领域名称的列表，至少一个。")
        data["domains"] = []
    elif len(set(domains)) != len(domains):
        faults.append("region.json“domains”：有重复的领域。")
    if not isinstance(data.get("office"), dict) or not data["office"].get("name"):
        faults.append("region.json“office.name”：不能为空。")
    else:
        for kind in ("bulletin", "weekly"):
            if (form := (data["office"].get(kind) or {}).get("form", "official")) not in ("official", "brief"):
                faults.append(f"region.json“office.{kind}.form”：应为 official（文件）或 brief（简报），现为“{form}”。")
    try:
        pyproj.CRS(data["wall"]["crs"])
    except (KeyError, TypeError, CRSError):
        faults.append("region.json“wall.crs”：应为投影坐标系的代号，如 EPSG:4546。")
    for key in ("province", "water_domain"):
        if not isinstance(data.get(key, ""), str):
            faults.append(f"region.json“{key}”：应为文字。")
    if data.get("water_domain") and data["water_domain"] not in data["domains"]:
        faults.append("region.json“water_domain”：应是 domains 中的一个。")
    _check_policy(data.get("policy", {}), faults)
    return data


def _check_policy(values: dict, faults: list[str]) -> None:
    known = {field.name for field in dataclasses.fields(policy.Values)}
    for key, value in values.items():
        if key not in known:
            faults.append(f"region.json“policy.{key}”：没有这一项。")
        elif type(value) is not int:
            faults.append(f"region.json“policy.{key}”：应为整数。")


def _features(folder: Path, name: str, kinds: tuple[str, ...], key: str, faults: list[str]) -> dict[str, dict]:
    """Features by their property `key`, in the order of the file, with `_shape` (WGS84 degrees)."""
    result: dict[str, dict] = {}
    for number, feature in enumerate(_json(folder, name, faults).get("features", []), 1):
        where = f"{name} 第{number}个要素"
        properties = feature.get("properties") or {}
        label = properties.get(key)
        if not label:
            faults.append(f"{where}：缺少属性 {key}。")
            continue
        if label in result:
            faults.append(f"{where}“{label}”：重复。")
        try:
            shape = shapely.geometry.shape(feature["geometry"])
        except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
            shape = None
        if shape is None or shape.geom_type not in kinds or shape.is_empty:
            faults.append(f"{where}“{label}”：几何应为 {'或'.join(kinds)}。")
            continue
        result[label] = properties | {"_shape": shape, "_where": where}
    return result


# ── Rows against one another ───────────────────────────────────────────────────────────────────────────────────────


def _check_unique(rows: list[dict], field: str, faults: list[str]) -> None:
    seen: dict[str, str] = {}
    for row in rows:
        value = row.get(field)
        if value in seen:
            faults.append(f"{row['_where']}：“{value}”与{seen[value]}重复。")
        elif value is not None:
            seen[value] = row["_where"]


def _check_counties(counties: list[dict], outlines: dict[str, dict], faults: list[str]) -> None:
    _check_unique(counties, "name", faults)
    codes = {row.get("code") for row in counties}
    for row in counties:
        if row.get("kind") == CountyKind.COUNTY and row.get("code") not in outlines:
            faults.append(f"{row['_where']}：counties.geojson 中没有 {row.get('code')} 的边界。")
    for code, outline in outlines.items():
        if code not in codes:
            faults.append(f"counties.geojson {outline['_where'].split()[1]}“{code}”：counties.csv 中没有这个代码。")
        polygons = getattr(outline["_shape"], "geoms", [outline["_shape"]])
        if any(polygon.exterior.is_ccw for polygon in polygons):
            faults.append(f"counties.geojson“{code}”：外环应为顺时针（否则 Plotly 会填满整个画面）。")


def _check_units(units: list[dict], counties: list[dict], domains: list[str], faults: list[str]) -> None:
    codes = {row.get("code") for row in counties}
    for row in units:
        if row.get("domain") and row["domain"] not in domains:
            faults.append(f"{row['_where']}“domain”：“{row['domain']}”不在 region.json 的 domains 中。")
        if row.get("county") and row["county"] not in codes:
            faults.append(f"{row['_where']}“county_code”：counties.csv 中没有 {row['county']}。")
        if row.get("kind") == UnitKind.COUNTY and not row.get("county"):
            faults.append(f"{row['_where']}“county_code”：县级单位须写明所在县。")
    if (offices := sum(row.get("kind") == UnitKind.OFFICE for row in units)) != 1:
        faults.append(f"units.csv：专班办（kind=office）应有且只有一个，现有{offices}个。")
    led = [row.get("domain") for row in units if row.get("kind") == UnitKind.DEPARTMENT and row.get("domain")]
    faults += [f"units.csv：领域“{d}”应有且只有一个牵头部门，现有{led.count(d)}个。" for d in domains if led.count(d) != 1]
    reporting = {row.get("county") for row in units if row.get("kind") == UnitKind.COUNTY}
    faults += [f"units.csv：{row.get('name')}没有填报单位。" for row in counties if row.get("code") not in reporting]


def _check_sections(sections: list[dict], counties: list[dict], rivers: list[dict], faults: list[str]) -> None:
    codes, names = {row.get("code") for row in counties}, {row["name"] for row in rivers}
    for row in sections:
        if "river" in row and row["river"] not in names:
            faults.append(f"{row['_where']}“river”：rivers.geojson 中没有“{row['river']}”。")
        if "county" in row and row["county"] not in codes:
            faults.append(f"{row['_where']}“county_code”：counties.csv 中没有 {row['county']}。")
        if (successor := row.get("replaced_by")) and (successor == row.get("name") or successor not in {r.get("name") for r in sections}):
            faults.append(f"{row['_where']}“replaced_by”：“{successor}”应是本文件中另一个断面。")


def _rivers(lines: dict[str, dict], faults: list[str]) -> list[dict]:
    """Rivers with their line from source to mouth: a tributary's mouth is the end nearer to its parent.

    A river without parent in the pack is drawn from source to mouth in the file.
    """
    rivers = []
    for name, properties in lines.items():
        parent, line, rank = properties.get("parent") or None, properties["_shape"], properties.get("rank", 3)
        if parent and parent not in lines:
            faults.append(f"{properties['_where']}“{name}”：汇入的“{parent}”不在文件中。")
        elif parent and _starts_at_mouth(line, lines[parent]["_shape"]):
            line = line.reverse()
        if len(name) > 30 or not isinstance(rank, int) or rank < 1:
            faults.append(f"{properties['_where']}“{name}”：名称最多30个字，rank 应为正整数。")
        rivers.append({"name": name, "rank": rank, "parent": parent, "line": line})
    parents = {river["name"]: river["parent"] for river in rivers}
    faults += [f"rivers.geojson“{name}”：汇入关系成环。" for name in parents if _flows_into_itself(name, parents)]
    return rivers


def _flows_into_itself(name: str, parents: dict[str, str | None]) -> bool:
    seen, river = set(), parents.get(name)
    while river and river not in seen:
        seen.add(river)
        river = parents.get(river)
    return name in seen


def _starts_at_mouth(line: shapely.LineString, parent: shapely.LineString) -> bool:
    first, last = (shapely.Point(line.coords[i]) for i in (0, -1))
    return parent.distance(first) < parent.distance(last)


def _measure(sections: list[dict], rivers: list[dict], crs: str) -> None:
    """Set `order_along` of sections and `mouth_km` of rivers: km from the source along the schematic line.

    A section lies at the point of its river's line that is nearest to it, a mouth at that of the parent's line.
    """
    project = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    lines = {river["name"]: shapely.transform(river["line"], project, interleaved=False) for river in rivers}
    for row in sections:
        metres = lines[row["river"]].project(shapely.Point(project(row["lon"], row["lat"])))
        row["order_along"] = round(metres / 1000, 1)
    for river in rivers:
        parent = lines.get(river["parent"])
        mouth = shapely.Point(lines[river["name"]].coords[-1])
        is_here = parent is not None and parent.distance(mouth) <= MOUTH_METRES
        river["mouth_km"] = round(parent.project(mouth) / 1000, 1) if is_here else None


def _plain(row: dict) -> dict:
    return {key: value for key, value in row.items() if not key.startswith("_")}

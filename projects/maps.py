"""The works layers of the maps as GeoJSON (RFC 7946, WGS84): projects with their stage, counties with their outlines."""

import orjson
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.polygon import orient

from linfen_water.enums import CountyKind
from projects import geo
from projects.enums import Provenance, Stage
from projects.facts import ProjectFacts


def projects_layer(facts: list[ProjectFacts]) -> dict:
    """Each project at its site; one without a site has a null geometry and is not lost."""
    return _collection(_project(f) for f in facts)


def _project(fact: ProjectFacts) -> dict:
    return _feature(
        fact.code,
        None if fact.lon is None or fact.lat is None else {"type": "Point", "coordinates": [fact.lon, fact.lat]},
        code=fact.code,
        number=fact.number,
        name=fact.name,
        county=fact.county,
        domain=fact.domain,
        stage=Stage(fact.stage).label,
        started_on=fact.started_on,
        completed_on=fact.completed_on,
        physical_progress=None if fact.physical_progress is None else float(fact.physical_progress),
        total_investment_wan=float(fact.total_investment_wan),
        provenance=Provenance(fact.provenance).label,
    )


def counties_layer(counties, region) -> dict:
    """Each county with its outline, exterior rings counter-clockwise; a zone is the point of its seat."""
    folder = geo.folder_of(region)
    path = folder / "counties.geojson" if folder else None
    drawn = orjson.loads(path.read_bytes())["features"] if path and path.is_file() else []
    outlines = {str(f["properties"]["adcode"]): _wound(shape(f["geometry"])) for f in drawn}
    attribution = region.settings.get("wall", {}).get("attribution", "")
    return _collection(_county(c, outlines.get(c.code)) for c in counties) | {"attribution": attribution}


def _county(county, outline: dict | None) -> dict:
    seat = None if county.seat_lon is None or county.seat_lat is None else [county.seat_lon, county.seat_lat]
    geometry = outline or (seat and {"type": "Point", "coordinates": seat})
    return _feature(county.code, geometry, code=county.code, name=county.name, short=county.short, kind=CountyKind(county.kind).label)


def _wound(geometry) -> dict:
    """The same areas with rings as RFC 7946 wants them; the packs have them the other way round, for Plotly."""
    parts = [orient(part, 1.0) for part in shapely.get_parts(geometry)]
    return mapping(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))


def _collection(features) -> dict:
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(key, geometry: dict | None, **properties) -> dict:
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": properties}

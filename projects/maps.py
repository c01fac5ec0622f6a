"""The works layers of the maps as GeoJSON (RFC 7946, WGS84): projects with their stage, counties with their outlines."""

import shapely
from django.db.models import Count, Q, Sum
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

from linfen_water.enums import CountyKind
from projects import geo, rules
from projects.enums import Provenance, Stage
from projects.facts import ProjectFacts, cents


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


def county_stages(projects) -> dict[int, dict]:
    """Counts by stage, rates and investment by county, of a queryset of projects after `as_of`. One query."""
    rows = (
        projects.order_by()
        .values("v__county")
        .annotate(
            projects=Count("pk"),
            not_started=Count("pk", filter=Q(stage=Stage.NOT_STARTED)),
            under_construction=Count("pk", filter=Q(stage=Stage.UNDER_CONSTRUCTION)),
            finished=Count("pk", filter=Q(stage=Stage.FINISHED)),
            total_investment_wan=Sum("v__total_investment_wan"),
        )
    )
    return {row.pop("v__county"): _with_rates(row) for row in rows}


def _with_rates(row: dict) -> dict:
    started = row["under_construction"] + row["finished"]
    rates = {"start_rate": rules.rate(started, row["projects"]), "finish_rate": rules.rate(row["finished"], row["projects"])}
    floats = {name: None if value is None else float(value) for name, value in rates.items()}
    return row | floats | {"total_investment_wan": float(cents(row["total_investment_wan"]))}


NO_PROJECTS = {
    "projects": 0, "not_started": 0, "under_construction": 0, "finished": 0,
    "total_investment_wan": 0.0, "start_rate": None, "finish_rate": None,
}  # fmt: skip


def counties_layer(counties, region, stages: dict[int, dict]) -> dict:
    """Each county with its outline, exterior rings counter-clockwise; a zone is the point of its seat. `stages`: by primary key."""
    outlines = {code: _wound(outline) for code, outline in geo.outlines_of(region).items()}
    attribution = region.settings.get("wall", {}).get("attribution", "")
    return _collection(_county(c, outlines.get(c.code), stages.get(c.pk, NO_PROJECTS)) for c in counties) | {"attribution": attribution}


def _county(county, outline: dict | None, stages: dict) -> dict:
    seat = None if county.seat_lon is None or county.seat_lat is None else [county.seat_lon, county.seat_lat]
    geometry = outline or (seat and {"type": "Point", "coordinates": seat})
    kind = CountyKind(county.kind).label
    return _feature(county.code, geometry, code=county.code, name=county.name, short=county.short, kind=kind, **stages)


def _wound(geometry) -> dict:
    """The same areas with rings as RFC 7946 wants them; the packs have them the other way round, for Plotly."""
    parts = [orient(part, 1.0) for part in shapely.get_parts(geometry)]
    return mapping(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))


def _collection(features) -> dict:
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(key, geometry: dict | None, **properties) -> dict:
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": properties}

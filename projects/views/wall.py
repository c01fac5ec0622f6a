"""The wall and the data behind it: page, document, GeoJSON layers, and what lies under the maps."""

import functools
import hashlib

import orjson
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header
from django.views.decorators.http import condition, require_safe

from linfen_water import clock
from linfen_water.kiosks import open_to_kiosks
from linfen_water.models import County, Domain
from monitoring import maps as water_maps
from monitoring.enums import WaterClass
from projects import charts, geo, maps, wall, wall_tables
from projects.facts import project_facts
from projects.permissions import visible_projects

THEMES = ("dark", "light")
PANELS = [
    {"key": 1, "mark": "图一", "title": "项目分布图", "tab": "项目分布", "reading": "每个圆点是一个项目，数字为省定序号"},
    {"key": 2, "mark": "图二", "title": "工程进展图", "tab": "工程进展", "reading": "红色菱形为前期，绿色方块为开工，蓝色圆形为完工"},
    {"key": 3, "mark": "图三", "title": "水质监测断面图", "tab": "水质断面", "reading": "大圆为国考断面，罗马数字为水质类别"},
]
ROMAN = dict(zip(WaterClass, ("I", "II", "III", "IV", "V", "劣V"), strict=True))  # in the face of the figures
YEAR = 365 * 24 * 3600


def theme_of(request) -> str:
    """What the address or the person's last choice says; dark, for the wall, when neither does."""
    asked = request.GET.get("theme") or request.COOKIES.get("wall_theme")
    return asked if asked in THEMES else THEMES[0]


def _etag(request, *args, **kwargs) -> str:
    """Known before anything is computed. Scope and address are in it, so no answer is taken for another's."""
    return f'"{wall.version(request.user, request.as_of)}"'


def _until_changed(view):
    """Answer 304 while the facts, the day, the scope and the code are the same; never let a proxy keep it."""

    @functools.wraps(view)
    def answered(request, *args, **kwargs):
        response = condition(etag_func=_etag)(view)(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return require_safe(answered)


@open_to_kiosks
@require_safe
def wall_page(request):
    """The three maps. Readable at once: the figures are in the page, the maps follow when the script has run."""
    document = orjson.loads(wall.answer(request.region, request.user, request.as_of))
    size = tuple(document["size"])
    return render(
        request,
        "projects/wall.html",
        {
            "theme": theme_of(request),
            "kiosk_seconds": _kiosk_seconds(request),
            "release": wall.release(),
            "wall": document,
            "counties": _summary(document),
            "panels": [panel | {"exports": _exports(panel["key"])} for panel in PANELS],
            "classes": [{"key": c.value, "roman": ROMAN[c]} for c in WaterClass],
            "settings": request.region.settings.get("wall", {}),
            "ground": geo.ground(_land(request.region)),
            "outlines": f"{reverse('wall_outlines')}?v={_digest(geo.outlines_document(_land(request.region)))}",
            "figures": {theme: charts.wall_figures(size, theme) for theme in THEMES},
        },
    )


def _kiosk_seconds(request) -> int:
    """How long each view of a screen stands (`?kiosk=40`); 0: a person sits there."""
    asked = request.GET.get("kiosk", "")
    if not asked.isascii() or not asked.isdigit():
        return 40 if request.kiosk else 0
    return min(max(int(asked[:6]), 2), 3600)


def _exports(number: int) -> list[tuple[str, str]]:
    """Where what a map shows is to be had as data: word and address. The script adds the day that is shown."""
    table, layer = reverse("wall_csv"), {1: "projects", 2: "counties", 3: "sections"}[number]
    if number == 3:
        table += "?layer=sections"
    return [("表格 CSV", table), ("图层 GeoJSON", reverse(f"{layer}_geojson"))]


def _summary(document: dict) -> list[dict]:
    """The board in words, for readers who do not see it: finished and all projects of each county."""
    rows = wall.county_counts(document).items()
    return [{"name": name, "finished": done, "count": count} for name, (done, count) in rows if count]


@open_to_kiosks
@_until_changed
def wall_json(request):
    """The document of the wall (see `projects.wall`)."""
    return HttpResponse(wall.answer(request.region, request.user, request.as_of), content_type="application/json")


@open_to_kiosks
@_until_changed
def county_json(request):
    """The projects of one county of a list too long for a button each, by its code (`?county=`)."""
    county = get_object_or_404(County, code=request.GET.get("county", ""))
    return HttpResponse(wall.county_answer(request.region, request.user, request.as_of, county), content_type="application/json")


@open_to_kiosks
@require_safe
def density_png(request):
    """The picture of all sites that a person may see. Its address carries its hash, so a browser may keep it for good."""
    digest, picture = wall.density_picture(request.region, request.user, request.as_of, theme_of(request))
    return _for_good(picture, "image/png", request, digest)


@_until_changed
def wall_csv(request):
    """What map 1 or, with `?layer=sections`, map 3 shows on the day as a table; `?county=` a county's code, `?domain=` a domain."""
    layer = "sections" if request.GET.get("layer") == "sections" else "projects"
    if layer == "sections":
        text = wall_tables.sections(water_maps.section_states(request.as_of), request.as_of)
    else:
        text = wall_tables.projects(project_facts(request.as_of, _asked_for(request)), request.as_of)
    name = {"projects": "项目", "sections": "断面"}[layer]
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=_attached(f"挂图-{name}-{request.as_of}.csv"))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)}


def _asked_for(request):
    """The projects that the person may see; of one county or domain when the address says so."""
    chosen = visible_projects(request.user, clock.today())
    if county := request.GET.get("county"):
        get_object_or_404(County, code=county)
        chosen = chosen.filter(pk__in=chosen.as_of(request.as_of).filter(v__county__code=county).values("pk"))
    if domain := request.GET.get("domain"):
        chosen = chosen.filter(domain=get_object_or_404(Domain, name=domain))
    return chosen


@_until_changed
def projects_geojson(request):
    return _geojson(maps.projects_layer(project_facts(request.as_of, _asked_for(request))))


@_until_changed
def sections_geojson(request):
    return _geojson(water_maps.layer(water_maps.section_states(request.as_of)))


@_until_changed
def counties_geojson(request):
    projects = visible_projects(request.user, clock.today()).as_of(request.as_of)
    return _geojson(maps.counties_layer(County.objects.all(), request.region, maps.county_stages(projects)))


def _geojson(layer: dict) -> HttpResponse:
    return HttpResponse(orjson.dumps(layer), content_type="application/geo+json")


@open_to_kiosks
@require_safe
def outlines_json(request):
    """Outlines of the counties in km of the map: for the highlight and for finding the county under a finger."""
    return _for_good(geo.outlines_document(_land(request.region)), "application/json", request)


def _for_good(body: bytes, content_type: str, request, version: str = "") -> HttpResponse:
    """An answer to keep for good when the address carries its version: the hash of what it was made from, else its own."""
    response = condition(etag_func=lambda _: f'"{_digest(body)}"')(lambda _: HttpResponse(body, content_type=content_type))(request)
    if request.GET.get("v") == (version or _digest(body)):
        patch_cache_control(response, private=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, private=True, no_cache=True)
    return response


def _land(region) -> geo.Land:
    return wall.land_of(region)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]

"""Pages and data of the works side."""

from django.urls import path

from projects.views import wall

urlpatterns = [
    path("wall/", wall.wall_page, name="wall"),
    path("wall/base.svg", wall.base_svg, name="wall_base"),
    path("wall/outlines.json", wall.outlines_json, name="wall_outlines"),
    path("api/wall.json", wall.wall_json, name="wall_json"),
    path("api/projects.geojson", wall.projects_geojson, name="projects_geojson"),
    path("api/sections.geojson", wall.sections_geojson, name="sections_geojson"),
    path("api/counties.geojson", wall.counties_geojson, name="counties_geojson"),
]

"""Pages of the water: the table of all sections, a section, and the ways in for values."""

from django.urls import path

from monitoring.views import air, differences, intake, readings, section, section_edit, sections

urlpatterns = [
    path("sections/", sections.sections, name="sections"),
    path("sections/readings/", readings.readings, name="readings"),
    path("sections/import/", intake.import_values, name="readings_import"),
    path("sections/differences/", differences.differences, name="differences"),
    path("sections/<int:pk>/", section.section, name="section"),
    path("sections/<int:pk>/edit/", section_edit.edit, name="section_edit"),
    path("ledgers/air/new/", air.new, name="air_new"),
    path("ledgers/air/<int:pk>/edit/", air.edit, name="air_edit"),
    path("ledgers/air/<int:pk>/withdraw/", air.withdraw, name="air_withdraw"),
]

"""Every address of the site; each app names its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("linfen_water.base_urls")),
    path("", include("ledgers.urls")),
    path("", include("projects.urls")),
    path("", include("monitoring.urls")),
]

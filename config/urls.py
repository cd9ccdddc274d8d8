"""All addresses. Every one of ours declares its rule; the sweep test walks this map."""
from django.contrib import admin
from django.urls import include, path, re_path

from config import health, views
from config.api import api, docs, openapi

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("clinic.urls")),
    path("", include("scheduling.urls")),
    path("", include("charting.urls")),
    path("", include("treatment.urls")),
    path("", include("milestones.urls")),
    path("admin/", admin.site.urls),
    path("api/docs", docs, name="api_docs"),
    path("api/v1/docs", docs),
    path("api/openapi.json", openapi, name="openapi"),
    path("api/v1/openapi.json", openapi),
    re_path(r"^api/(?:v1/)?", api.patterns()),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "clinic.web.errors.bad_request"
handler403 = "clinic.web.errors.forbidden"
handler404 = "clinic.web.errors.not_found"
handler500 = "clinic.web.errors.broken"

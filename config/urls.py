"""All addresses. Every one of ours declares its rule; the sweep test walks this map."""
from django.urls import include, path

from config import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("clinic.urls")),
    path("", include("scheduling.urls")),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "clinic.web.errors.bad_request"

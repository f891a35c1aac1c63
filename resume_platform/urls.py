"""The whole HTTP surface on one page."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from resume_platform.api import health

APPS_WITH_URLS = ("auth", "uploads", "storage", "notifications")


def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


urlpatterns = [
    *[
        path("", include(f"apps.{name}.urls"))
        for name in APPS_WITH_URLS
        if name in settings.ENABLED_APPS
    ],
    path("health", health.health),
    path("health/live", health.live),
    path("metrics", metrics),
    path("schema", SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[])),
    path(
        "docs",
        SpectacularSwaggerView.as_view(
            url="/schema", permission_classes=[], authentication_classes=[]
        ),
    ),
    path("admin/", admin.site.urls),
]

handler400 = "resume_platform.api.exception_handler.bad_request"
handler404 = "resume_platform.api.exception_handler.not_found"
handler500 = "resume_platform.api.exception_handler.server_error"

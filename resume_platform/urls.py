"""The whole HTTP surface on one page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from resume_platform.http import health

APPS_WITH_URLS = ("auth", "uploads", "storage", "notifications")

open_to_all: dict[str, Any] = {"permission_classes": [], "authentication_classes": []}

urlpatterns = [
    *[
        path("", include(f"apps.{name}.urls"))
        for name in APPS_WITH_URLS
        if name in settings.ENABLED_APPS
    ],
    path("health", health.HealthView.as_view()),
    path("health/live", health.LiveView.as_view()),
    path("health/ready", health.ReadyView.as_view()),
    path("metrics", health.MetricsView.as_view()),
    path("schema", SpectacularAPIView.as_view(**open_to_all)),
    # Split: its script is a file of its own, so that no inline script need be allowed.
    path("docs", SpectacularSwaggerSplitView.as_view(url="/schema", **open_to_all)),
    path("admin/i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]

handler400 = "resume_platform.http.exception_handler.bad_request"
handler404 = "resume_platform.http.exception_handler.not_found"
handler500 = "resume_platform.http.exception_handler.server_error"

"""What is done to every request before anything reads it, and to every answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from resume_platform.http.client_address import is_trusted_proxy

GetResponse = Callable[[HttpRequest], HttpResponse]

PROBES = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})

# Swagger UI and the admin need inline styles, and images out of their own style sheets.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# Alpine.js, which drives the admin's menus and charts, compiles its attributes' expressions.
# Scripts still come from this host's files alone: markup that slips in runs nothing by <script>.
ADMIN_CONTENT_SECURITY_POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'self' 'unsafe-eval'"


def plain_requests(get_response: GetResponse) -> GetResponse:
    """Everything is UTF-8, and only a trusted proxy speaks for its client.

    Python has codecs that are no text encodings at all ("hex"), and a client may name any.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.encoding is not None:
            request.encoding = "utf-8"
        if not is_trusted_proxy(request.META, settings.TRUSTED_PROXIES):
            for name in [it for it in request.META if it.startswith("HTTP_X_FORWARDED_")]:
                del request.META[name]
        return get_response(request)

    return middleware


def probes_by_any_name(get_response: GetResponse) -> GetResponse:
    """Probes and scrapers come by address, which ALLOWED_HOSTS does not hold.

    Their answers say nothing that depends on the name they were asked by.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path in PROBES and settings.ALLOWED_HOSTS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
        return get_response(request)

    return middleware


def security_headers(get_response: GetResponse) -> GetResponse:
    """Pages load nothing from other hosts; what the API says is in nobody's cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        in_admin = request.path.startswith("/admin/")
        policy = ADMIN_CONTENT_SECURITY_POLICY if in_admin else CONTENT_SECURITY_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        if response.headers.get("Content-Type", "").startswith("application/json"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware

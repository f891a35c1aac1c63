"""Each request has an id, one line in the log and, with traces on, a span."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from resume_platform.observability import tracing
from resume_platform.observability.correlation import well_formed

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

HEADER = "X-Request-ID"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by machines; their lines would hide the others.
_PROBES = frozenset({"health", "health/live", "health/ready", "metrics"})


def told_of(get_response: GetResponse) -> GetResponse:
    """The outermost middleware.

    The line names the route, never the path or the query: these may hold anything. The id is the
    client's where it is well-formed, and goes on with the events that the request causes.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = well_formed(request.headers.get(HEADER, "")) or uuid.uuid4().hex
        method = request.method if request.method in _METHODS else "OTHER"
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        with _span(request, str(method)) as span:
            response = get_response(request)
            route, status = _route(request), response.status_code
            span.name(f"{method} /{route}")
            span.note(
                http__request__method=str(method),
                http__route=f"/{route}",
                http__response__status_code=status,
            )
            if status >= 500:
                span.fail(str(status))
            _level(route, status)(
                "http.request",
                method=method,
                route=f"/{route}",
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                **_staff(request),
            )
        response.headers[HEADER] = request_id
        return response

    return middleware


def _span(request: HttpRequest, method: str) -> tracing.Span:
    if request.path_info[1:] in _PROBES:
        return tracing.nothing()
    return tracing.span(method, kind="server", parent=request.headers.get("traceparent", ""))


def _level(route: str, status: int) -> Callable[..., Any]:
    if status >= 500:
        return log.error
    return log.debug if route in _PROBES else log.info


def _route(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return str(request.resolver_match.route)
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "unmatched"


def _staff(request: HttpRequest) -> dict[str, int]:
    """Whose session it is, where somebody asked that already; a token's user is bound by then."""
    user_id = getattr(getattr(request, "_cached_user", None), "pk", None)
    return {} if user_id is None else {"user_id": user_id}

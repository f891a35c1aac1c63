"""Counts and times every request, by the route's pattern: a path could hold anything."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from resume_platform.observability import metrics

GetResponse = Callable[[HttpRequest], HttpResponse]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def measured(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        with metrics.HTTP_IN_PROGRESS.track_inprogress():
            response = get_response(request)
        route = _route(request)
        # A client may send any word.
        method = request.method if request.method in METHODS else "other"
        metrics.HTTP_SECONDS.labels(method, route).observe(time.perf_counter() - began)
        metrics.HTTP_REQUESTS.labels(method, route, str(response.status_code)).inc()
        return response

    return middleware


def _route(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return settings.STATIC_URL if request.path.startswith(settings.STATIC_URL) else "none"

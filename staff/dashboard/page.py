"""The start page: today's figures and charts of the apps that are enabled."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from staff import sources

# With a million processings in two weeks the sums take a second.
CACHE_SECONDS = 15


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: adds what this member of the staff may see."""
    now = timezone.now()
    known = sources.readable_by(request.user)
    figures = [figure for source in known for figure in _counted(source.figures, now)]
    charts = [chart for source in known for chart in _counted(source.charts, now)]
    context["figures"] = sorted(figures, key=lambda figure: figure.order)
    context["charts"] = [
        {"title": chart.title, "data": chart.data(now), "series": chart.series}
        for chart in sorted(charts, key=lambda chart: chart.order)
    ]
    return context


def _counted(count: Callable[[datetime], list[Any]], now: datetime) -> list[Any]:
    """The same for all who may see it, in their language."""
    key = f"dashboard:{count.__module__}.{count.__name__}:{get_language()}"
    return cache.get_or_set(key, lambda: list(count(now)), CACHE_SECONDS) or []

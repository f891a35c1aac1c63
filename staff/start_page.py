"""The start page: today's figures and charts of the apps that are enabled."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from staff import sources


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: adds what this member of the staff may see."""
    now = timezone.now()
    known = sources.readable_by(request.user)
    figures = [figure for source in known for figure in source.figures(now)]
    charts = [chart for source in known for chart in source.charts(now)]
    context["figures"] = sorted(figures, key=lambda figure: figure.order)
    context["charts"] = [
        {"title": chart.title, "data": chart.data(now), "series": chart.series}
        for chart in sorted(charts, key=lambda chart: chart.order)
    ]
    return context

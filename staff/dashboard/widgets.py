"""The pieces of the start page, and the hours and days that its charts count by."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import QuerySet
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone
from django.utils.formats import date_format

from staff.sources.timeline_event import Tone

HOURS = 24
DAYS = 14
Grain = Literal["hour", "day"]

_COLOURS: Mapping[Tone, str] = {
    "default": "var(--color-primary-600)",
    "info": "#60a5fa",
    "success": "#22c55e",
    "warning": "#f59e0b",
    "danger": "#ef4444",
}


@dataclass(frozen=True)
class Figure:
    """A number of today; `order` is its place among those of other apps."""

    label: str
    value: str
    icon: str
    hint: str = ""
    link: str = ""
    tone: Tone = "default"
    order: int = 0


@dataclass(frozen=True)
class Series:
    label: str
    tone: Tone
    values: Mapping[datetime, Any]


@dataclass(frozen=True)
class Chart:
    """Stacked bars by hour or day."""

    title: str
    grain: Grain
    series: Sequence[Series]
    order: int = 0

    def data(self, now: datetime) -> str:
        """What Chart.js draws, as JSON."""
        moments = buckets(self.grain, now)
        pattern = "H:i" if self.grain == "hour" else "j M"
        return json.dumps(
            {
                "labels": [date_format(timezone.localtime(at), pattern) for at in moments],
                "datasets": [
                    {
                        "label": series.label,
                        "data": [float(series.values.get(at) or 0) for at in moments],
                        "backgroundColor": _COLOURS[series.tone],
                        "borderRadius": 3,
                        "maxTicksXLimit": 12,
                        "displayYAxis": True,
                        "stack": "all",
                    }
                    for series in self.series
                ],
            }
        )


def buckets(grain: Grain, now: datetime) -> list[datetime]:
    """The beginnings of the last hours or days, the oldest first, this one last."""
    last = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    if grain == "hour":
        return [last - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    last = last.replace(hour=0)
    return [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def today(now: datetime) -> datetime:
    return buckets("day", now)[-1]


def since(grain: Grain, now: datetime) -> datetime:
    return buckets(grain, now)[0]


def counted(
    rows: "QuerySet[Any]", moment: str, grain: Grain, now: datetime, **aggregates: Any
) -> list[dict[str, Any]]:
    """One row per bucket in which something happened, with the aggregates named."""
    truncate = TruncHour if grain == "hour" else TruncDay
    return list(
        rows.order_by()
        .filter(**{f"{moment}__gte": since(grain, now)})
        .annotate(bucket=truncate(moment))
        .values("bucket")
        .annotate(**aggregates)
    )


def column(rows: Iterable[Mapping[str, Any]], name: str) -> dict[datetime, Any]:
    return {row["bucket"]: row[name] for row in rows}

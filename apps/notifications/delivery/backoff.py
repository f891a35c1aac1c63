"""What an answer means and when to try again. The clock is passed in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kafka_bridge.tasks import RetryPolicy

MAX_RETRY_AFTER = 3600.0


def is_success(status: int) -> bool:
    return 200 <= status < 300


def is_retried(status: int) -> bool:
    """Everything else that is not a success is final: redirects, 410, other 4xx."""
    return status in (408, 429) or 500 <= status < 600


def next_delay(
    number: int, schedule: Sequence[float], *, retry_after: float | None = None
) -> float:
    """Seconds to wait after attempt `number` (1 for the first); `retry_after` only adds to it."""
    return max(RetryPolicy(tuple(schedule)).delay(number), retry_after or 0.0)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, an hour at most; None if it is no use."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone ("-0000") is UTC (RFC 5322, 3.3).
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER)

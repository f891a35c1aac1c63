"""Reads from a provider's headers how long it asks us to wait."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(ms|s|m|h|d)")


def wait_seconds(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """`retry-after-ms`, `retry-after` (seconds or a date), else the reset of an exhausted limit."""
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (seconds := _number(headers.get(name))) is not None:
            return seconds * factor
    if date := parsedate_tz(headers.get("retry-after") or ""):
        return max(0.0, mktime_tz(date) - (time.time() if now is None else now))
    resets = [
        duration
        for limit in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{limit}", "0").strip() == "0"
        and (duration := parse_duration(headers.get(f"x-ratelimit-reset-{limit}"))) is not None
    ]
    return max(resets, default=None)


def parse_duration(value: str | None) -> float | None:
    """OpenAI's "6m0s", "120ms", "1h2m3.5s", or a bare number of seconds."""
    if value is None:
        return None
    if (seconds := _number(value)) is not None:
        return seconds
    value = value.strip()
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None

"""A record as one line of JSON."""

import json
import logging
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

_PLAIN = (str, UUID, date, datetime, Decimal, Path)


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record once, however many handlers write it."""

    def format(self, record: logging.LogRecord) -> str:
        line: str | None = record.__dict__.get("_line")
        if line is None:
            line = record.__dict__["_line"] = super().format(record)
        return line


def as_json(event: Any, **_: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=_fallback)


def _fallback(value: object) -> Any:
    """A model's or an event's own words may be texts: its kind alone is told."""
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return str(value) if isinstance(value, _PLAIN) else f"<{type(value).__name__}>"

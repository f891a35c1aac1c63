"""Exceptions in logs: what kind, where, and of which cause; never a local, and hardly a message.

A database's message quotes the row that it refused, a parser's the text that it stumbled over.
"""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2
import redis
from django.core.exceptions import ImproperlyConfigured
from django.db import utils as django_db
from structlog.typing import EventDict

MAX_FRAMES = 12
MAX_CAUSES = 5
_ROOT = Path(__file__).resolve().parents[3]

# Their messages speak of servers and settings, never of a row or a request.
_HARMLESS = (
    ImproperlyConfigured,
    django_db.OperationalError,
    django_db.InterfaceError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    redis.ConnectionError,
    redis.TimeoutError,
)


def without_messages(logger: Any, method: str, event: EventDict) -> EventDict:
    """A structlog processor: `exc_info` becomes `exception`, a list that begins with the last."""
    exc_info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = _error(exc_info)
    if error is not None:
        event["exception"] = [_told(cause) for cause in _chain(error)]
    return event


def tell(error: BaseException) -> str:
    """An exception in a line's argument: its kind, and its message where that is harmless."""
    kind, message = _kind(error), _message(error)
    return f"{kind}: {message}" if message else kind


def _error(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if following is None:
            return
        yield following
        cause, context = following.__cause__, following.__context__
        following = cause or (None if following.__suppress_context__ else context)


def _told(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _kind(error)}
    if message := _message(error):
        told["message"] = message
    return told | {"at": _places(error.__traceback__)}


def _kind(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _message(error: BaseException) -> str:
    if isinstance(error, _HARMLESS):
        return str(error).partition("\n")[0]
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""


def _places(trace: TracebackType | None) -> list[str]:
    """The innermost frames, innermost last, as `apps/ai/services.py:31 analyze`."""
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(trace), lookup_lines=False, capture_locals=False
    )
    return [f"{short_path(f.filename)}:{f.lineno} {f.name}" for f in frames[-MAX_FRAMES:]]


def short_path(name: str) -> str:
    _, separator, inside = name.rpartition("/site-packages/")
    if separator:
        return inside
    path = Path(name)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name

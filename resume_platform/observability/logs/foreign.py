"""What others' code logs: its constant words stay, what it quotes does not.

A template is a constant; its arguments, and a message that was put together beforehand, may hold
anything: a path with a token in it, a header, a refused row.
"""

import logging
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

from resume_platform.observability.logs.exceptions import short_path, tell

MAX_LENGTH = 300
WITHHELD = "…"

# Whose words about their own servers, queues and addresses are shown, up to which level: from
# WARNING on Celery quotes messages that it cannot read.
_TALK_OF_THEMSELVES = {
    "librdkafka": logging.CRITICAL,
    "celery": logging.INFO,
    "kombu": logging.INFO,
    "flower": logging.INFO,
    "tornado.general": logging.INFO,
}
# Whose messages without arguments are sentences, not quotations.
_SPEAK_IN_CONSTANTS = ("django", "flower", "celery", "kombu", "asyncio", "opentelemetry", "tornado")
_QUOTE_THE_REQUEST = ("django.security",)
# What Celery says of a task in a mapping of arguments.
_HARMLESS_KEYS = frozenset({"id", "name", "description", "hostname"})


def without_quotes(logger: Any, method: str, event: EventDict) -> EventDict:
    """A structlog processor for records that are not structlog's."""
    record: logging.LogRecord = event["_record"]
    arguments = event.pop("positional_args", ())
    event["event"] = _sentence(record, arguments).partition("\n")[0][:MAX_LENGTH]
    if event["event"] == WITHHELD:
        event["at"] = f"{short_path(record.pathname)}:{record.lineno}"
    return event


def _sentence(record: logging.LogRecord, arguments: Any) -> str:
    if record.name == "py.warnings":
        return _warning(str(arguments[0] if arguments else record.msg))
    talks = _talks_of_itself(record)
    template = str(record.msg)
    if not arguments:
        return template if talks or _is_under(record.name, _SPEAK_IN_CONSTANTS) else WITHHELD
    try:
        if isinstance(arguments, Mapping):
            return template % _Arguments(arguments)
        return template % tuple(_argument(value, talks=talks) for value in arguments)
    except (TypeError, ValueError):
        return template


def _warning(formatted: str) -> str:
    """`file:line: Category`: the message may quote a value."""
    place, _, rest = formatted.partition(": ")
    return f"{short_path(place)}: {rest.partition(':')[0]}"


def _talks_of_itself(record: logging.LogRecord) -> bool:
    return any(
        _is_under(record.name, (name,)) and record.levelno <= level
        for name, level in _TALK_OF_THEMSELVES.items()
    )


def _is_under(name: str, parents: tuple[str, ...]) -> bool:
    if any(name == parent or name.startswith(f"{parent}.") for parent in _QUOTE_THE_REQUEST):
        return False
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def _argument(value: object, *, talks: bool) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return _Words(tell(value))
    return _Words(value if talks else WITHHELD)


class _Words(str):
    """The same for %s and %r."""

    def __repr__(self) -> str:
        return str(self)


class _Arguments(dict[str, object]):
    """A mapping of arguments that answers for every key."""

    def __init__(self, given: Mapping[str, object]) -> None:
        super().__init__(
            {key: _argument(v, talks=key in _HARMLESS_KEYS) for key, v in given.items()}
        )

    def __missing__(self, key: str) -> object:
        return _Words(WITHHELD)

"""Traces: off unless OTEL_EXPORTER_OTLP_ENDPOINT names a collector, and then OpenTelemetry's.

While they are off the SDK for traces is not even imported, and a `traceparent` that came with a
request or a message is passed on as it came. Attributes are ids, names, counts and hosts.
"""

from collections.abc import Iterable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Literal, Protocol

from django.conf import settings
from structlog.typing import EventDict

Kind = Literal["internal", "server", "client", "producer", "consumer"]

_carried: ContextVar[str] = ContextVar("carried_traceparent", default="")


class Span(Protocol):
    """As a context manager it is what happens now: spans begun inside become its children.

    What leaves the block as an exception is named by its kind. `traceparent` is what a row, a
    message or a request carries on; "" where there is nothing to carry.
    """

    @property
    def traceparent(self) -> str: ...

    @property
    def trace_id(self) -> str: ...

    def name(self, name: str) -> None: ...

    def note(self, **attributes: str | int | float | bool) -> None:
        """Attributes; a double underscore in a name stands for a dot."""

    def fail(self, reason: str) -> None:
        """It went wrong; `reason` is a constant word."""

    def end(self) -> None: ...

    def __enter__(self) -> "Span": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Recorder(Protocol):
    def begin(self, name: str, kind: Kind, parent: str | None, links: Iterable[str]) -> Span: ...

    def current(self) -> Span | None: ...


_recorder: Recorder | None = None


def configure(process: str) -> None:
    """Called once Django is set up, in the process that will record (after any fork)."""
    global _recorder
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT and _recorder is None:
        # Only here: the SDK costs memory and a third of a second.
        from resume_platform.observability.tracing.recording import OpenTelemetry

        _recorder = OpenTelemetry(process)


def is_on() -> bool:
    return _recorder is not None


def span(
    name: str,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    links: Iterable[str] = (),
    **attributes: str | int | float | bool,
) -> Span:
    """Begin a span. `parent` and `links` are traceparents.

    `parent` None: the span that is current; "" or one that is malformed: a new trace.
    """
    if _recorder is None:
        return _Passing(parent) if parent is not None else _NOTHING
    begun = _recorder.begin(name, kind, parent, links)
    if attributes:
        begun.note(**attributes)
    return begun


def traceparent() -> str:
    """What is to be carried on from here."""
    if _recorder is None:
        return _carried.get()
    current = _recorder.current()
    return current.traceparent if current else ""


def nothing() -> Span:
    """In place of a span that nobody would want to see."""
    return _NOTHING


def fail(reason: str) -> None:
    """What happens now went wrong; `reason` is a constant word."""
    if _recorder is not None and (current := _recorder.current()):
        current.fail(reason)


def add_trace_id(logger: Any, method: str, event: EventDict) -> EventDict:
    """A structlog processor: lines name the trace that they belong to."""
    if _recorder is not None and (current := _recorder.current()):
        event["trace_id"] = current.trace_id
    return event


class _Nothing:
    """A span of a trace that nobody records."""

    traceparent = ""
    trace_id = ""

    def name(self, name: str) -> None: ...

    def note(self, **attributes: str | int | float | bool) -> None: ...

    def fail(self, reason: str) -> None: ...

    def end(self) -> None: ...

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


_NOTHING = _Nothing()


class _Passing(_Nothing):
    """Passes on the traceparent that came."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent
        self._token: Token[str] | None = None

    def __enter__(self) -> Span:
        self._token = _carried.set(self.traceparent)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _carried.reset(self._token)

"""What log lines and spans say of a message while it is sent, taken in and handled."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Protocol

import structlog

from kafka_bridge.contract.events import Event
from kafka_bridge.contract.message import InboundMessage
from resume_platform.observability import tracing
from resume_platform.observability.correlation import well_formed

# A line about a batch of hundreds stays a line.
MAX_REQUESTS_NAMED = 20

bound = structlog.contextvars.bound_contextvars


class Handled(Protocol):
    """A claimed task row, with the ids that its message brought."""

    @property
    def name(self) -> str: ...
    @property
    def task_id(self) -> int: ...
    @property
    def event_id(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def traceparent(self) -> str: ...


def request_id() -> str:
    """Of the request that led to what happens now, however many events ago; "" if unknown."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@contextmanager
def receiving(incoming: list[InboundMessage]) -> Iterator[list[InboundMessage]]:
    """The same messages; with traces on, what handles them comes after their reception."""
    if not tracing.is_on():
        yield incoming
        return
    spans = [
        tracing.span(
            f"receive {row.place[0]}",
            kind="consumer",
            parent=row.traceparent,
            messaging__system="kafka",
            messaging__destination__name=row.place[0],
            messaging__destination__partition__id=str(row.place[1]),
            messaging__kafka__offset=row.offset,
        )
        for row in incoming
    ]
    try:
        yield [
            replace(row, traceparent=span.traceparent)
            for row, span in zip(incoming, spans, strict=True)
        ]
    finally:
        for span in spans:
            span.end()


@contextmanager
def handling(row: Handled) -> Iterator[None]:
    """Around one attempt of one handler at one message."""
    with (
        bound(task=row.name, task_id=row.task_id, **_ids(row)),
        tracing.span(
            f"process {row.name}", kind="consumer", parent=row.traceparent, task__id=row.task_id
        ),
    ):
        yield


@contextmanager
def handling_together(name: str, rows: Sequence[Handled]) -> Iterator[None]:
    """Around a batch: a trace of its own that links to its messages', and a part in each of these.

    A batch of one is handled like a single message.
    """
    if len(rows) == 1:
        with handling(rows[0]):
            yield
        return
    links = [row.traceparent for row in rows] if tracing.is_on() else []
    requests = [row.request_id for row in rows[:MAX_REQUESTS_NAMED] if row.request_id]
    with (
        bound(task=name, rows=len(rows), request_ids=list(dict.fromkeys(requests))),
        tracing.span(f"process {name}", kind="consumer", parent="", links=links) as batch,
    ):
        parts = [
            tracing.span(
                f"process {name}",
                kind="consumer",
                parent=row.traceparent,
                links=[batch.traceparent],
                task__id=row.task_id,
            )
            for row in (rows if tracing.is_on() else ())
        ]
        try:
            yield
        finally:
            for part in parts:
                part.end()


def about(event: Event) -> AbstractContextManager[Any]:
    """Bind whose event it is and which processing it is about."""
    return bound(**ids_of(event))


def ids_of(event: Event) -> dict[str, int]:
    """`user_id`, and `processing_id` where the event is about one."""
    ids = {"user_id": event.partition_key()}
    of_one = getattr(event, "response", event)
    if (processing_id := getattr(of_one, "processing_id", None)) is not None:
        ids["processing_id"] = processing_id
    return ids


def _ids(row: Handled) -> dict[str, str]:
    """Those that the message brought; a neighbour may write anything there."""
    return {
        name: value
        for name, value in (
            ("event_id", well_formed(row.event_id)),
            ("request_id", row.request_id),
        )
        if value
    }

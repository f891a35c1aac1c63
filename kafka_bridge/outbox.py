"""The outbox: state and event commit together, or neither does."""

from django.db import connection

from kafka_bridge import codec, context, erased
from kafka_bridge.events import EraseUser, Event
from kafka_bridge.models import OutboxMessage
from resume_platform import tracing

NOTIFY_CHANNEL = "kafka_bridge_outbox"


class OutboxOutsideTransaction(RuntimeError):
    """An event was enqueued where it could be lost without its state, or sent without it."""


def enqueue(event: Event) -> None:
    """Have `event` produced once the surrounding transaction commits.

    Raises OutboxOutsideTransaction outside of `transaction.atomic()`, and UserErased, so that the
    whole transaction rolls back, for a user whose data were erased.
    A trigger on the table wakes the relay at the commit.
    """
    if not connection.in_atomic_block:
        raise OutboxOutsideTransaction(event.key)
    if not isinstance(event, EraseUser):
        erased.refuse(event.partition_key())
    with tracing.span(f"enqueue {event.key}", kind="producer"):
        OutboxMessage.objects.create(
            topic=event.topic,
            key=event.key,
            partition_key=event.partition_key(),
            value=codec.encode(event),
            traceparent=tracing.traceparent(),
            request_id=context.request_id(),
        )

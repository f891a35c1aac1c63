"""The outbox: state and event commit together, or neither does."""

import uuid

from django.db import connection
from django.utils import timezone

from kafka_bridge.contract import codec, erased_users
from kafka_bridge.contract.events import EraseUser, Event
from kafka_bridge.runtime import log_context
from resume_platform.observability import tracing

NOTIFY_CHANNEL = "kafka_bridge_outbox"

# One round trip: the second statement sees what was committed while the first waited for its lock.
_INSERT = f"""
SELECT pg_advisory_xact_lock_shared({erased_users.ADVISORY_LOCK});
INSERT INTO kafka_bridge_outboxmessage
    (event_id, topic, key, partition_key, value, traceparent, request_id, occurred_at)
SELECT event_id, topic, key, partition_key, value, traceparent, request_id, occurred_at
FROM unnest(
    %(event_id)s::uuid[], %(topic)s::text[], %(key)s::text[], %(partition_key)s::bigint[],
    %(value)s::bytea[], %(traceparent)s::text[], %(request_id)s::text[],
    %(occurred_at)s::timestamptz[]) WITH ORDINALITY AS
    row(event_id, topic, key, partition_key, value, traceparent, request_id, occurred_at, place)
WHERE row.key = '{EraseUser.key}' OR NOT EXISTS (
    SELECT 1 FROM kafka_bridge_eraseduser AS gone WHERE gone.user_id = row.partition_key)
ORDER BY row.place
"""  # noqa: S608  built of constants alone
_COLUMNS = (
    *("event_id", "topic", "key", "partition_key", "value", "traceparent", "request_id"),
    "occurred_at",
)


class OutboxOutsideTransaction(RuntimeError):
    """An event was enqueued where it could be lost without its state, or sent without it."""


def enqueue(*events: Event) -> None:
    """Have `events` produced, in this order, once the surrounding transaction commits.

    Raises OutboxOutsideTransaction outside of `transaction.atomic()`, and UserErased, so that the
    whole transaction rolls back, for a user whose data were erased.
    A trigger on the table wakes the relay at the commit.
    """
    if not connection.in_atomic_block:
        raise OutboxOutsideTransaction(events[0].key)
    now, request_id = timezone.now(), log_context.request_id()
    rows = []
    for event in events:
        with tracing.span(f"enqueue {event.key}", kind="producer"):
            traceparent = tracing.traceparent()
        rows.append(
            (
                str(uuid.uuid4()),
                event.topic,
                event.key,
                event.partition_key(),
                codec.encode(event),
                traceparent,
                request_id,
                now,
            )
        )
    with connection.cursor() as cursor:
        columns = (list(column) for column in zip(*rows, strict=True))
        cursor.execute(_INSERT, dict(zip(_COLUMNS, columns, strict=True)))
        if cursor.rowcount < len(rows):
            raise erased_users.UserErased

"""How far behind the pipeline is, as far as this system's own tables tell."""

from datetime import datetime

from django.db import connection

from kafka_bridge.contract.events import Event


def oldest_owed(*events: type[Event], by: str | None = None) -> datetime | None:
    """When the oldest of these events happened that is still on its way here; None: none is.

    On its way: in the outbox, or owed by a handler (`by`: by that one) that has not ended it. What
    a foreign service still owes is not known.
    """
    keys = [event.key for event in events]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(occurred_at) FROM (
                SELECT message.occurred_at FROM kafka_bridge_messagetask AS task
                JOIN kafka_bridge_inboxmessage AS message ON message.id = task.message_id
                WHERE task.state IN ('pending', 'leased') AND message.key = ANY(%(keys)s)
                  AND (%(by)s::text IS NULL OR task.name = %(by)s)
                UNION ALL
                SELECT occurred_at FROM kafka_bridge_outboxmessage WHERE key = ANY(%(keys)s)
            ) AS under_way
            """,
            {"keys": keys, "by": by},
        )
        oldest: datetime | None = cursor.fetchone()[0]
        return oldest

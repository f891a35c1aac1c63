"""Whose the stored payloads are, where that was not noted when they came."""

from django.db import connection

from kafka_bridge.contract import codec
from kafka_bridge.contract.message import NOBODY
from kafka_bridge.erasure.personal_data import BATCH_SIZE

TABLES = ("kafka_bridge_inboxmessage", "kafka_bridge_deadletter")


def find_owners(batch_size: int = BATCH_SIZE) -> None:
    """For what an earlier version stored."""
    for table in TABLES:
        while _find_owners(table, batch_size):
            pass


def _find_owners(table: str, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, value FROM {table} WHERE user_id IS NULL AND value IS NOT NULL LIMIT %s",  # noqa: S608
            [limit],
        )
        rows = cursor.fetchall()
        owners = [codec.user_of(bytes(value)) or NOBODY for _, value in rows]
        cursor.execute(
            f"UPDATE {table} AS t SET user_id = found.user_id"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::bigint[]) AS found(id, user_id) WHERE t.id = found.id",
            [[id_ for id_, _ in rows], owners],
        )
    return len(rows)

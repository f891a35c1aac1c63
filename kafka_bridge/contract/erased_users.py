"""Whose data were erased: a tombstone per user, and the lock that lets nothing slip past it.

Every transaction that takes in something of a user holds the lock shared while it looks for the
tombstone; the tombstone is set under the lock alone. So what was written before it is there for
the erasure to see, and nothing is written after it.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kafka_bridge.contract.events import EraseUser
from resume_platform.http.errors import Unauthorized

ADVISORY_LOCK = 7_036_202  # any constant that nothing else in this database uses
# Whoever waits for the lock alone holds up those behind it, so it gives up soon and tries again.
LOCK_TIMEOUT = "2s"

_AMONG = """
SELECT pg_advisory_xact_lock_shared(%s);
SELECT user_id FROM kafka_bridge_eraseduser WHERE user_id = ANY(%s)
"""


class UserErased(Unauthorized):
    """Something of a user whose data were erased; what was about to be written rolls back."""

    def __init__(self) -> None:
        super().__init__(_("The access token is not valid."), "invalid_token")


def among(user_ids: Iterable[int]) -> set[int]:
    """Those whose data were erased, which stays true until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_AMONG, [ADVISORY_LOCK, list(set(user_ids))])
        return {user_id for (user_id,) in cursor.fetchall()}


def refuse(user_id: int) -> None:
    """Raises UserErased; to be called in the transaction that would write of the user."""
    if among([user_id]):
        raise UserErased


@transaction.atomic
def mark(user_id: int) -> None:
    """Set the tombstone and drop what of the user waits in the outbox.

    Raises OperationalError where others held the lock for too long.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(
            "INSERT INTO kafka_bridge_eraseduser (user_id, erased_at)"
            " VALUES (%s, clock_timestamp()) ON CONFLICT DO NOTHING",
            [user_id],
        )
        cursor.execute(
            "DELETE FROM kafka_bridge_outboxmessage WHERE partition_key = %s AND key <> %s",
            [user_id, EraseUser.key],
        )


def seconds_since(user_id: int) -> float | None:
    """How long ago the tombstone was set, by the database's clock; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - erased_at)"
            " FROM kafka_bridge_eraseduser WHERE user_id = %s",
            [user_id],
        )
        row = cursor.fetchone()
    return None if row is None else float(row[0])

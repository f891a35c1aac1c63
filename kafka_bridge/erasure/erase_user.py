"""Erasing one user's texts: each app tells what it holds, and obeys the event `erase_user`.

First the user is cut off: a tombstone, and an end to all work about them. Then every app empties
its own rows, in whatever order their turns come.
"""

from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.db import connection, transaction

from kafka_bridge import erased, outbox, texts
from kafka_bridge.events import EraseUser
from kafka_bridge.handlers import HANDLERS
from kafka_bridge.owners import find_owners
from kafka_bridge.routes import is_enabled
from kafka_bridge.tasks import Attempt, RetryLater, RetryPolicy, handler
from kafka_bridge.texts import Texts

log = structlog.get_logger(__name__)

# Every system has a worker for it.
QUEUE = "storage"
# Half a day: what cannot be done is a dead letter then, and a person's affair.
ERASE_RETRY = RetryPolicy(schedule=(1, 5, 30, 120, 600, 3600, 3600, 7200, 14400, 14400))
WAIT_FOR_BATCH_SECONDS = 0.5
WAIT_FOR_REDIS_SECONDS = 5.0


@dataclass(frozen=True)
class Part:
    """What one app does: `before(user_id)`, its texts, `also(user_id)`; all may come twice."""

    app: str
    texts: tuple[Texts, ...]
    before: Callable[[int], None]
    also: Callable[[int], None]

    @property
    def handler(self) -> str:
        return f"{self.app}.erase"


PARTS: dict[str, Part] = {}


def _nothing_else(user_id: int) -> None:
    return


def erases(
    app: str,
    *kinds: Texts,
    before: Callable[[int], None] = _nothing_else,
    also: Callable[[int], None] = _nothing_else,
) -> None:
    """Register an app's texts, and its handler `<app>.erase`.

    `before` waits for transactions of the app's own that may have looked for the tombstone before
    it was set; those that write through a lease or the outbox are waited for by `cut_off`.
    """
    part = PARTS[app] = Part(app, kinds, before, also)

    @handler(part.handler, EraseUser, queue=QUEUE, retry=ERASE_RETRY)
    def erase(event: EraseUser, attempt: Attempt) -> None:
        _erase(part, event.user_id)


def enabled_parts() -> list[Part]:
    return [part for part in PARTS.values() if is_enabled(part.handler)]


def counts(user_id: int) -> dict[str, int]:
    """How many rows hold texts of the user, by kind."""
    return {
        kind.name: texts.count(kind, user_id=user_id)
        for part in enabled_parts()
        for kind in part.texts
    }


@transaction.atomic
def request(user_id: int) -> None:
    """From the commit on nothing of the user is taken in; every app is told to erase the rest."""
    erased.mark(user_id)
    outbox.enqueue(EraseUser(user_id=user_id))


def cut_off(user_id: int) -> None:
    """Let nothing more be written about the user by work that is under way here.

    Work that waits is ended; a worker that is at one loses its lease, so what it does rolls back.
    Raises RetryLater while a batch, whose other rows are other users', is at one.
    """
    if erased.seconds_since(user_id) is None:
        erased.mark(user_id)
    find_owners()
    batched = [spec.name for spec in HANDLERS.values() if spec.is_batch]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH open AS (
                SELECT task.id FROM kafka_bridge_messagetask AS task
                JOIN kafka_bridge_inboxmessage AS message ON message.id = task.message_id
                WHERE task.state IN ('pending', 'leased') AND message.user_id = %(user)s
                  AND message.key <> %(erase)s
                ORDER BY task.id FOR UPDATE OF task
            ), ended AS (
                UPDATE kafka_bridge_messagetask AS task
                SET state = 'done', finished_at = clock_timestamp(), last_error = 'erased',
                    lease_token = NULL, lease_expires_at = NULL
                FROM open WHERE task.id = open.id
                  AND (task.state = 'pending' OR task.name <> ALL(%(batched)s))
                RETURNING task.id
            )
            SELECT (SELECT count(*) FROM open) - (SELECT count(*) FROM ended)
            """,
            {"user": user_id, "erase": EraseUser.key, "batched": batched},
        )
        under_way = cursor.fetchone()[0]
    if under_way:
        raise RetryLater("batch_under_way", seconds=WAIT_FOR_BATCH_SECONDS, counted=False)


def _erase(part: Part, user_id: int) -> None:
    cut_off(user_id)
    part.before(user_id)
    try:
        rows = {kind.name: texts.empty_of_user(kind, user_id=user_id) for kind in part.texts}
        part.also(user_id)
    except redis.RedisError as error:
        raise RetryLater("redis_away", seconds=WAIT_FOR_REDIS_SECONDS, counted=False) from error
    log.info("erasure.emptied", app=part.app, user_id=user_id, rows=rows)
    _look_again(user_id)


def _look_again(user_id: int) -> None:
    """A request that was being answered just then may have cached a text after the look.

    Raises RetryLater, by which everything is looked through once more.
    """
    left = settings.ERASURE_SECOND_LOOK_SECONDS - (erased.seconds_since(user_id) or 0.0)
    if left > 0:
        raise RetryLater("second_look", seconds=left, counted=False)

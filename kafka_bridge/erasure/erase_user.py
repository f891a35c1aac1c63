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

from kafka_bridge import outbox
from kafka_bridge.contract import erased_users
from kafka_bridge.contract.events import EraseUser
from kafka_bridge.contract.routes import ERASURE_QUEUE, is_enabled
from kafka_bridge.erasure import personal_data
from kafka_bridge.erasure.message_owners import find_owners
from kafka_bridge.erasure.personal_data import PersonalData
from kafka_bridge.tasks import Attempt, Permanent, RetryLater, RetryPolicy, handler
from kafka_bridge.tasks.registry import HANDLERS

log = structlog.get_logger(__name__)

# Half a day: what cannot be done is a dead letter then, and a person's affair.
ERASE_RETRY = RetryPolicy(schedule=(1, 5, 30, 120, 600, 3600, 3600, 7200, 14400, 14400))
WAIT_FOR_BATCH_SECONDS = 0.5
WAIT_FOR_REDIS_SECONDS = 5.0


@dataclass(frozen=True)
class AppData:
    """What one app erases: `before(user_id)`, its tables, `also(user_id)`; all may come twice."""

    app: str
    tables: tuple[PersonalData, ...]
    before: Callable[[int], None]
    also: Callable[[int], None]

    @property
    def handler(self) -> str:
        return f"{self.app}.erase"


ERASED_BY_APP: dict[str, AppData] = {}
_PROTECTED: list[Callable[[int], bool]] = []


def register_protected(is_protected: Callable[[int], bool]) -> None:
    """Register who may not be erased, whoever asks for it."""
    _PROTECTED.append(is_protected)


def _nothing_else(user_id: int) -> None:
    return


def register_personal_data(
    app: str,
    *tables: PersonalData,
    before: Callable[[int], None] = _nothing_else,
    also: Callable[[int], None] = _nothing_else,
) -> None:
    """Register an app's personal data, and its handler `<app>.erase`.

    `before` waits for transactions of the app's own that may have looked for the tombstone before
    it was set; those that write through a lease or the outbox are waited for by `cut_off`.
    """
    app_data = ERASED_BY_APP[app] = AppData(app, tables, before, also)

    @handler(app_data.handler, EraseUser, queue=ERASURE_QUEUE, retry=ERASE_RETRY)
    def erase(event: EraseUser, attempt: Attempt) -> None:
        _erase(app_data, event.user_id)


def enabled_apps_data() -> list[AppData]:
    return [app_data for app_data in ERASED_BY_APP.values() if is_enabled(app_data.handler)]


def counts(user_id: int) -> dict[str, int]:
    """How many rows hold texts of the user, by table."""
    return {
        table.name: personal_data.count(table, user_id=user_id)
        for app_data in enabled_apps_data()
        for table in app_data.tables
    }


@transaction.atomic
def request(user_id: int) -> None:
    """From the commit on nothing of the user is taken in; every app is told to erase the rest.

    The caller has refused who is protected.
    """
    erased_users.mark(user_id)
    outbox.enqueue(EraseUser(user_id=user_id))


def cut_off(user_id: int) -> None:
    """Let nothing more be written about the user by work that is under way here.

    Work that waits is ended; a worker that is at one loses its lease, so what it does rolls back.
    Raises RetryLater while a batch, whose other rows are other users', is at one.
    """
    if erased_users.seconds_since(user_id) is None:
        erased_users.mark(user_id)
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


def _erase(app_data: AppData, user_id: int) -> None:
    if any(is_protected(user_id) for is_protected in _PROTECTED):
        raise Permanent("protected_user")
    cut_off(user_id)
    app_data.before(user_id)
    try:
        rows = {
            table.name: personal_data.empty_of_user(table, user_id=user_id)
            for table in app_data.tables
        }
        app_data.also(user_id)
    except redis.RedisError as error:
        raise RetryLater("redis_away", seconds=WAIT_FOR_REDIS_SECONDS, counted=False) from error
    log.info("erasure.emptied", app=app_data.app, user_id=user_id, rows=rows)
    _look_again(user_id)


def _look_again(user_id: int) -> None:
    """A request that was being answered just then may have cached a text after the look.

    Raises RetryLater, by which everything is looked through once more.
    """
    left = settings.ERASURE_SECOND_LOOK_SECONDS - (erased_users.seconds_since(user_id) or 0.0)
    if left > 0:
        raise RetryLater("second_look", seconds=left, counted=False)

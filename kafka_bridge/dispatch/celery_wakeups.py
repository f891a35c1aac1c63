"""Tell Celery which rows wait. A wake-up carries ids only, and losing one costs seconds.

Redis never holds the backlog: who has news for a full queue leaves them to the dispatcher.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice

import redis
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from kafka_bridge.tasks import leases
from kafka_bridge.tasks.registry import HANDLERS
from resume_platform.observability import metrics

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
# Of rows that run one by one: few enough that several workers share a burst.
ROWS_SIDE_BY_SIDE = 10


def wake(name: str, ids: Sequence[int]) -> bool:
    """Tell of new rows as far as their queue has room; the dispatcher tells of the others.

    False if the broker of Celery is away.
    """
    try:
        room = room_in(HANDLERS[name].queue)
    except RedisError as error:
        log.warning("wake_up.failed", task=name, error=type(error).__name__)
        return _leave(name, ids)
    fitting = ids[: max(0, room) * rows_per_message(name)]
    if not publish(name, fitting):
        return _leave(name, ids)
    if len(fitting) < len(ids):
        _leave(name, ids[len(fitting) :])
    return True


def _leave(name: str, ids: Sequence[int]) -> bool:
    try:
        leases.mark_unwoken(ids)
    except (OperationalError, InterfaceError) as error:
        # They pass for told, so they are told of again after WAKE_AGAIN_SECONDS.
        log.warning("wake_up.left", task=name, error=type(error).__name__)
        connection.close()
    return False


def publish(name: str, ids: Sequence[int]) -> bool:
    """Publish wake-ups for rows of one handler; False if the broker of Celery is away."""
    spec = HANDLERS[name]
    try:
        for chunk in _chunks(ids, rows_per_message(name)):
            spec.celery_task.apply_async(args=[chunk], queue=spec.queue, retry=False)
    except (BrokerError, RedisError, OSError) as error:
        log.warning("wake_up.failed", task=name, error=type(error).__name__)
        return False
    metrics.WAKE_UPS.labels(name).inc(len(ids))
    return True


def room_in(queue: str) -> int:
    """How many messages more a queue may hold. Raises RedisError."""
    return int(settings.WAKE_LIMIT) - waiting_in(queue)


def waiting_in(queue: str) -> int:
    """Raises RedisError."""
    return int(_client(settings.CELERY_BROKER_URL).llen(queue))


def rows_per_message(name: str) -> int:
    return BATCH_SIZE if HANDLERS[name].is_batch else ROWS_SIDE_BY_SIDE


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)


def _chunks(ids: Sequence[int], size: int) -> Iterable[list[int]]:
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk

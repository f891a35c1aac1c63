"""Tell Celery which rows wait. A wake-up carries ids only, and losing one costs seconds."""

from collections.abc import Iterable, Sequence
from itertools import islice

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from kafka_bridge import metrics
from kafka_bridge.handlers import HANDLERS

log = structlog.get_logger(__name__)

BATCH_SIZE = 500


def wake(name: str, ids: Sequence[int]) -> bool:
    """Publish wake-ups for rows of one handler; False if the broker of Celery is away."""
    spec = HANDLERS[name]
    try:
        for chunk in _chunks(ids, BATCH_SIZE if spec.is_batch else 1):
            spec.celery_task.apply_async(args=[chunk], queue=spec.queue, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("wake_up.failed", task=name, error=type(error).__name__)
        return False
    metrics.WAKE_UPS.labels(name).inc(len(ids))
    return True


def _chunks(ids: Sequence[int], size: int) -> Iterable[list[int]]:
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk

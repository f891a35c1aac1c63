"""`@handler` and `@batch_handler`: what the apps write their work with.

A handler's Celery task receives row ids, claims the rows, runs the function, and ends each row in
one transaction. How it ends is in `execution.py`, who owns a row in `leases.py`.
"""

from collections.abc import Callable

import structlog
from celery import shared_task

from kafka_bridge.contract.events import Event
from kafka_bridge.tasks.execution import run_batch, run_each
from kafka_bridge.tasks.registry import (
    DEFAULT_RETRY,
    HANDLERS,
    HandlerSpec,
    RetryPolicy,
)
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)


class WakeUpFailed(Exception):
    """What Celery and Flower hear of a failure: kind and place, for a message may quote a row.

    The rows themselves are safe: their leases run out and they are done again.
    """


def handler(
    name: str, *events: type[Event], queue: str, retry: RetryPolicy = DEFAULT_RETRY
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `function(event, attempt)` for these events.

    It runs outside of any transaction: slow work first, then `with attempt.finish():` for its
    effects. Returning without that ends the row without effects. RetryLater waits by the policy,
    Permanent and the last attempt make a dead letter; LeaseLost must be let through.
    """

    return _registration(name, events, queue, retry, is_batch=False)


def batch_handler(
    name: str, *events: type[Event], queue: str, retry: RetryPolicy = DEFAULT_RETRY
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `function(batch: list[Received])`, for effects in the database alone.

    It runs inside the transaction that also ends the rows. A data error is bisected with
    savepoints until the one bad row is a dead letter; a lost connection retries the whole batch
    and counts nothing.
    """

    return _registration(name, events, queue, retry, is_batch=True)


def _registration(
    name: str, events: tuple[type[Event], ...], queue: str, retry: RetryPolicy, *, is_batch: bool
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def register(function: Callable[..., None]) -> Callable[..., None]:
        run = run_batch if is_batch else run_each

        @shared_task(name=name)
        def wake_up(task_ids: list[int]) -> None:
            try:
                run(HANDLERS[name], task_ids)
            except Exception as error:
                log.exception("task.wake_up_failed", task=name)
                raise WakeUpFailed(describe(error)) from None

        HANDLERS[name] = HandlerSpec(
            name=name,
            events=events,
            queue=queue,
            retry=retry,
            function=function,
            is_batch=is_batch,
            celery_task=wake_up,
        )
        return function

    return register

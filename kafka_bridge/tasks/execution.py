"""How claimed rows are run and how each ends: done, retried, buried, or left to its new owner."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from kafka_bridge.contract import codec
from kafka_bridge.contract.erased_users import UserErased
from kafka_bridge.contract.events import Event
from kafka_bridge.contract.topic_names import contract_name
from kafka_bridge.runtime import log_context
from kafka_bridge.tasks import leases
from kafka_bridge.tasks.heartbeat import HEARTBEAT
from kafka_bridge.tasks.leases import Claimed
from kafka_bridge.tasks.registry import HandlerSpec, LeaseLost, Permanent, RetryLater
from kafka_bridge.tasks.threads import row_threads
from resume_platform.observability import metrics, tracing
from resume_platform.observability.error_description import describe
from resume_platform.postgresql_pool.release import release_connection

log = structlog.get_logger(__name__)

# The database went away or chose a victim of a deadlock: nobody's fault, so nothing is counted.
CONNECTION_ERRORS = (OperationalError, InterfaceError)
RETRY_AFTER_CONNECTION_ERROR = 1.0

# At most one suspect runs in a process at a time, so that a crash has one culprit.
_suspect_slot = threading.Lock()
_MAX_SUSPECTS_IN_TURN = 100


@dataclass(frozen=True)
class Received:
    """One event of a batch. `occurred_at` is the Kafka message's timestamp."""

    event: Event
    message_id: int
    occurred_at: datetime
    content_hash: bytes


@dataclass
class Attempt:
    """One attempt of a handler at one message; `number` counts from 1."""

    message_id: int
    task_id: int
    number: int
    is_last: bool
    occurred_at: datetime
    event_id: str | None
    content_hash: bytes
    lease_token: uuid.UUID
    finished: bool = field(default=False, init=False)

    @contextmanager
    def finish(self) -> Iterator[None]:
        """One transaction for the effects and the end of the row.

        The lease is proved first. Raises LeaseLost, and everything rolls back.
        """
        with transaction.atomic():
            leases.finish([self.task_id], self.lease_token)
            yield
        self.finished = True


def run_each(spec: HandlerSpec, task_ids: Sequence[int]) -> None:
    """Run a `@handler` for those of the rows that are due and free, in the worker's threads."""
    close_old_connections()
    claimed = 0

    def claim(ids: Sequence[int]) -> list[Claimed]:
        nonlocal claimed
        rows = leases.claim(name=spec.name, ids=ids)
        release_connection()  # the rows need it while this thread waits for free ones
        claimed += len(rows)
        return rows

    left = row_threads().run(task_ids, claim=claim, work=lambda row: _run_one(spec, row))
    if left:
        leases.mark_unwoken(left)
    if claimed + len(left) < len(task_ids):  # suspects are not claimed together with others
        _run_suspects(spec, _run_one)


def run_batch(spec: HandlerSpec, task_ids: Sequence[int]) -> None:
    """Run a `@batch_handler` once for all of the rows that are due and free."""
    close_old_connections()
    if rows := leases.claim(name=spec.name, ids=task_ids):
        _run_together(spec, rows)
    if len(rows) < len(task_ids):
        _run_suspects(spec, lambda spec, row: _run_together(spec, [row]))


def _run_suspects(spec: HandlerSpec, run: Callable[[HandlerSpec, Claimed], None]) -> None:
    if not _suspect_slot.acquire(blocking=False):
        return
    try:
        for _ in range(_MAX_SUSPECTS_IN_TURN):
            row = leases.claim_suspect(name=spec.name)
            if row is None:
                return
            run(spec, row)
    finally:
        _suspect_slot.release()


def _run_one(spec: HandlerSpec, row: Claimed) -> None:
    attempt = Attempt(
        message_id=row.message_id,
        task_id=row.task_id,
        number=row.attempts + 1,
        is_last=row.attempts + 1 >= spec.retry.max_attempts,
        occurred_at=row.occurred_at,
        event_id=row.event_id or None,
        content_hash=row.content_hash,
        lease_token=row.lease_token,
    )
    with log_context.handling(row), HEARTBEAT.keep(row.lease_token), _settling(spec, [row]):
        event = _events([row])[0]
        with log_context.about(event):
            spec.function(event, attempt)
        if not attempt.finished:
            with attempt.finish():
                pass
        metrics.TASK_OUTCOMES.labels(row.name, "done").inc()
        _note_lag(spec, [row])


def _events(rows: Sequence[Claimed]) -> list[Event]:
    names = {topic: contract_name(topic) for topic in {row.topic for row in rows}}
    return [codec.decode(names[row.topic], row.key.encode(), row.value) for row in rows]


def _run_together(spec: HandlerSpec, rows: list[Claimed]) -> None:
    token = rows[0].lease_token
    with (
        log_context.handling_together(spec.name, rows),
        HEARTBEAT.keep(token),
        _settling(spec, rows),
    ):
        bad = _apply_and_end(spec, rows, token)
        metrics.TASK_OUTCOMES.labels(spec.name, "done").inc(len(rows) - len(bad))
        metrics.TASK_OUTCOMES.labels(spec.name, "dead").inc(len(bad))
        _note_lag(spec, rows)
        log.info("task.batch_done", done=len(rows) - len(bad), dead=len(bad))


def _note_lag(spec: HandlerSpec, rows: Sequence[Claimed]) -> None:
    lag, now = metrics.TASK_LAG.labels(spec.name), time.time()
    for row in rows:
        lag.observe(max(0.0, now - row.occurred_at.timestamp()))


def _apply_and_end(
    spec: HandlerSpec, rows: Sequence[Claimed], token: uuid.UUID
) -> dict[int, Exception]:
    """One transaction for all rows; returns the errors of those that were buried instead."""
    try:
        with transaction.atomic():
            _apply(spec, rows)
            leases.finish([row.task_id for row in rows], token)
    except (*CONNECTION_ERRORS, RetryLater, LeaseLost):
        raise
    except Exception as error:  # noqa: BLE001  whatever one event causes must not hold up the others
        with transaction.atomic():
            bad = _apply_halves(spec, rows, error)
            leases.finish([row.task_id for row in rows if row.task_id not in bad], token)
            for task_id, its_error in bad.items():
                _dead_letter(task_id, token, its_error)
        return bad
    return {}


def _apply_halves(
    spec: HandlerSpec, rows: Sequence[Claimed], error: Exception
) -> dict[int, Exception]:
    """Apply rows that failed together, but for the bad ones; returns these with their errors."""
    if len(rows) == 1:
        return {rows[0].task_id: error}
    bad: dict[int, Exception] = {}
    middle = len(rows) // 2
    for half in (rows[:middle], rows[middle:]):
        try:
            with transaction.atomic():
                _apply(spec, half)
        except (*CONNECTION_ERRORS, RetryLater):
            raise
        except Exception as its_error:  # noqa: BLE001  kept with the row it belongs to
            bad |= _apply_halves(spec, half, its_error)
    return bad


def _apply(spec: HandlerSpec, rows: Sequence[Claimed]) -> None:
    spec.function(
        [
            Received(
                event=event,
                message_id=row.message_id,
                occurred_at=row.occurred_at,
                content_hash=row.content_hash,
            )
            for row, event in zip(rows, _events(rows), strict=True)
        ]
    )


@contextmanager
def _settling(spec: HandlerSpec, rows: Sequence[Claimed]) -> Iterator[None]:
    """Turn what the block raises into the rows' next state."""
    ids = [row.task_id for row in rows]
    token = rows[0].lease_token
    try:
        try:
            with metrics.TASK_SECONDS.labels(spec.name).time():
                yield
        except LeaseLost:
            raise
        except RetryLater as error:
            _retry_or_bury(spec, rows, error)
        except CONNECTION_ERRORS as error:
            close_old_connections()
            leases.retry(
                ids,
                token,
                seconds=RETRY_AFTER_CONNECTION_ERROR,
                reason=describe(error),
                counted=False,
            )
            metrics.TASK_OUTCOMES.labels(spec.name, "database_away").inc(len(ids))
        except UserErased:
            leases.finish(ids, token)
            metrics.TASK_OUTCOMES.labels(spec.name, "erased").inc(len(ids))
        except (Permanent, codec.Undecodable) as error:
            for row in rows:
                _dead_letter(row.task_id, token, error)
            metrics.TASK_OUTCOMES.labels(spec.name, "dead").inc(len(ids))
        except Exception as error:  # noqa: BLE001  a defect: retried, then a dead letter that names it
            log.error("task.failed", error=describe(error))
            _retry_or_bury(spec, rows, RetryLater(describe(error)))
    except LeaseLost:
        metrics.TASK_OUTCOMES.labels(spec.name, "lease_lost").inc(len(ids))
        log.warning("task.lease_lost", task_ids=ids[:20])
    except CONNECTION_ERRORS as error:
        # The database is still away: the leases run out and the rows are recovered.
        log.warning("task.left_to_recovery", task_ids=ids[:20], error=describe(error))


def _retry_or_bury(spec: HandlerSpec, rows: Sequence[Claimed], error: RetryLater) -> None:
    tracing.fail(error.reason)
    for row in rows:
        number = row.attempts + 1
        if error.counted and number >= spec.retry.max_attempts:
            _dead_letter(row.task_id, row.lease_token, error)
            metrics.TASK_OUTCOMES.labels(spec.name, "dead").inc()
            continue
        seconds = error.seconds if error.seconds is not None else spec.retry.delay(number)
        leases.retry(
            [row.task_id],
            row.lease_token,
            seconds=seconds,
            reason=error.reason,
            counted=error.counted,
        )
        metrics.TASK_OUTCOMES.labels(spec.name, "retried" if error.counted else "waits").inc()
        log.info("task.retry", task_id=row.task_id, reason=error.reason, seconds=round(seconds, 1))


def _dead_letter(task_id: int, token: uuid.UUID, error: Exception) -> None:
    reason, detail = "unexpected", describe(error)
    if isinstance(error, Permanent):
        reason, detail = error.reason, ""
    elif isinstance(error, RetryLater):
        reason, detail = "exhausted", error.reason
    elif isinstance(error, codec.Undecodable):
        reason, detail = error.reason, error.detail
    tracing.fail(reason)
    leases.dead_letter(task_id, token, reason=reason, detail=detail)
    log.error("task.dead_letter", task_id=task_id, reason=reason)

"""What is owed and how it is delivered: claim, POST outside of any transaction, write it down."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from apps.notifications import claims
from apps.notifications.claims import Owed
from apps.notifications.delivery import attempt as attempts
from apps.notifications.delivery import backoff, signing
from apps.notifications.delivery.attempt import Result
from apps.notifications.delivery.host_limiter import HOST_LIMITER, HostNotReady
from apps.notifications.models import Callback
from kafka_bridge.contract.events import DeleteProcessing, DeleteRequirements, ResultEvent
from kafka_bridge.tasks import Attempt, Permanent, RetryLater
from resume_platform.observability import metrics
from resume_platform.postgresql_pool.release import release_connection
from resume_platform.redis import processed_marks

log = structlog.get_logger(__name__)
State = Callback.State


def cancel(*, event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    if isinstance(event, DeleteProcessing):
        processing_ids, requirements_ids = event.processing_ids, []
    else:
        processing_ids, requirements_ids = event.processings_ids, event.requirements_ids
    with attempt.finish():
        claims.cancel(
            event.user_id, processing_ids=processing_ids, requirements_ids=requirements_ids
        )


def webhook_secret(*, user_id: int) -> str:
    """The user's own secret, of the master that is not being rotated out."""
    return signing.user_secret(settings.WEBHOOK_SECRET[0], user_id)


def deliver(*, event: ResultEvent, attempt: Attempt) -> None:
    """Post one outcome to its callback, at least once, under one constant `webhook-id`.

    Raises RetryLater for what may get better, Permanent for what cannot; each after it is recorded.
    """
    host = attempts.host_of(event.response.callback_url)
    try:
        done = _attempt(event, attempt, host)
    except HostNotReady as held:
        _record_wait(event, attempt, held)
        return
    if done is None:
        return
    callback_id, result = done
    log.info(
        "callback.attempt",
        processing_id=event.response.processing_id,
        run=event.run,
        attempt=attempt.number,
        host=host.rpartition(":")[0],
        result=result.reason,
        duration_ms=result.duration_ms,
    )
    _count(result)
    if result.is_success:
        with attempt.finish():
            _record(callback_id, result, State.DELIVERED)
        processed_marks.mark("notifications", event.response.processing_id)
        return
    if not result.is_retried:
        _record(callback_id, result, State.FAILED)
        raise Permanent(result.reason)
    seconds = backoff.next_delay(
        attempt.number, settings.WEBHOOK_RETRY_SCHEDULE, retry_after=result.retry_after
    )
    if attempt.is_last:
        _record(callback_id, result, State.FAILED)
    else:
        due = attempts.now() + timedelta(seconds=seconds)
        _record(callback_id, result, State.PENDING, next_attempt_at=due)
    raise RetryLater(result.reason, seconds=seconds)


def _count(result: Result) -> None:
    outcome = "delivered" if result.is_success else "retried" if result.is_retried else "failed"
    answer = f"{result.status // 100}xx" if result.status is not None else result.error
    metrics.CALLBACKS.labels(outcome, answer).inc()
    metrics.CALLBACK_SECONDS.labels(outcome).observe(result.duration_ms / 1000)


def _attempt(event: ResultEvent, attempt: Attempt, host: str) -> tuple[int, Result] | None:
    """The POST, with the host's permit; None if there is nothing to call. Raises HostNotReady."""
    with HOST_LIMITER.permit(host, waits_for_breaker=_waits_for_breaker(attempt)) as permit:
        owed = _claim(event, attempt)
        if owed is None:
            return None
        release_connection()
        result = attempts.post(
            owed.url,
            webhook_id=owed.webhook_id,
            body=owed.body,
            user_id=event.user_id,
            headers=owed.headers,
            timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
        )
        permit.outcome = result.host_outcome
    return owed.callback_id, result


def _waits_for_breaker(attempt: Attempt) -> bool:
    """For as long as the schedule lasts; then a host that stays dead is no reason to wait on."""
    age = attempts.now() - attempt.occurred_at
    return age <= timedelta(seconds=sum(settings.WEBHOOK_RETRY_SCHEDULE))


def _claim(event: ResultEvent, attempt: Attempt) -> Owed | None:
    return claims.claim(event, message_id=attempt.message_id, occurred_at=attempt.occurred_at)


def _record_wait(event: ResultEvent, attempt: Attempt, held: HostNotReady) -> None:
    """Say in the row what it waits for. Raises RetryLater, which uses up no attempt."""
    owed = _claim(event, attempt)
    if owed is None:
        return
    Callback.objects.filter(pk=owed.callback_id, state=State.PENDING).update(
        last_error=held.reason,
        next_attempt_at=attempts.now() + timedelta(seconds=held.seconds),
        updated_at=attempts.now(),
    )
    raise RetryLater(held.reason, seconds=held.seconds, counted=False)


# One statement, since it is the hot path: the row is locked, so what is read stays true.
_RECORD = """
WITH locked AS (
    SELECT id, attempts + 1 AS number, state IN ('pending', 'failed') AS is_open
    FROM notifications_callback WHERE id = %(callback)s FOR UPDATE
), history AS (
    INSERT INTO notifications_callbackattempt
        (callback_id, number, started_at, duration_ms, status_code, error, address,
         response_excerpt)
    SELECT id, number, %(started_at)s, %(duration_ms)s, %(status)s, %(error)s, %(address)s,
           CASE WHEN is_open THEN %(excerpt)s ELSE '' END
    FROM locked
), changed AS (
    UPDATE notifications_callback AS callback
    SET attempts = number, updated_at = clock_timestamp(),
        state = CASE WHEN is_open THEN %(state)s ELSE callback.state END,
        next_attempt_at = CASE WHEN is_open THEN %(next)s::timestamptz
                               ELSE callback.next_attempt_at END,
        last_error = CASE WHEN is_open THEN %(last_error)s ELSE callback.last_error END
    FROM locked WHERE callback.id = locked.id
)
SELECT 1
"""


def _record(
    callback_id: int,
    result: Result,
    state: Callback.State,
    next_attempt_at: datetime | None = None,
) -> None:
    """Write an attempt and the callback's new state.

    What was deleted meanwhile stays cancelled, what another worker delivered stays delivered.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, _parameters(callback_id, result, state, next_attempt_at))


def _parameters(
    callback_id: int, result: Result, state: Callback.State, next_attempt_at: datetime | None
) -> dict[str, Any]:
    return {
        "callback": callback_id,
        "started_at": result.started_at,
        "duration_ms": result.duration_ms,
        "status": result.status,
        "error": result.error,
        "address": result.address,
        "excerpt": result.excerpt,
        "state": state.value,
        "next": next_attempt_at,
        "last_error": "" if result.is_success else result.reason,
    }

"""Making a callback: claim it, POST outside of any transaction, then write down how it went."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.notifications import backoff, marks, ownership, signing, transport
from apps.notifications.models import Callback, CallbackAttempt
from kafka_bridge.events import DeleteProcessing, DeleteRequirements, NewRequest, Outcome
from kafka_bridge.tasks import Attempt, Permanent, RetryLater

log = structlog.get_logger(__name__)
State = Callback.State
USER_AGENT = "resume-platform-webhooks/1"


@dataclass(frozen=True)
class Result:
    """How one POST ended. Without a status, `error` is the word for what went wrong."""

    started_at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    address: str = ""
    excerpt: str = ""
    retry_after: float | None = None
    is_retried: bool = False

    @property
    def is_success(self) -> bool:
        return self.status is not None and backoff.is_success(self.status)

    @property
    def reason(self) -> str:
        return self.error or f"status_{self.status}"


def register(*, event: NewRequest, attempt: Attempt) -> None:
    with attempt.finish():
        ownership.register(event)


def cancel(*, event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    if isinstance(event, DeleteProcessing):
        processing_ids, requirements_ids = event.processing_ids, []
    else:
        processing_ids, requirements_ids = event.processings_ids, event.requirements_ids
    with attempt.finish():
        ownership.cancel(
            event.user_id, processing_ids=processing_ids, requirements_ids=requirements_ids
        )


def deliver(
    *, event: Outcome, attempt: Attempt, clock: Callable[[], datetime] = timezone.now
) -> None:
    """Post one outcome to its callback, at least once, under one constant `webhook-id`.

    Raises RetryLater for what may get better, Permanent for what cannot; each after it is recorded.
    """
    if marks.is_marked(event.response.processing_id) and ownership.is_delivered(event):
        return
    with transaction.atomic():
        callback = ownership.claim(
            event, message_id=attempt.message_id, occurred_at=attempt.occurred_at
        )
    if callback is None:
        return
    result = _post(callback, clock)
    log.info(
        "callback.attempt",
        processing_id=callback.processing_id,
        run=callback.run,
        attempt=attempt.number,
        host=callback.host,
        result=result.reason,
        duration_ms=result.duration_ms,
    )
    if result.is_success:
        with attempt.finish():
            _record(callback, attempt.number, result, State.DELIVERED)
        marks.mark(event.response.processing_id)
        return
    if not result.is_retried:
        with transaction.atomic():
            _record(callback, attempt.number, result, State.FAILED)
        raise Permanent(result.reason)
    seconds = backoff.next_delay(
        attempt.number, settings.WEBHOOK_RETRY_SCHEDULE, retry_after=result.retry_after
    )
    with transaction.atomic():
        if attempt.is_last:
            _record(callback, attempt.number, result, State.FAILED)
        else:
            due = clock() + timedelta(seconds=seconds)
            _record(callback, attempt.number, result, State.PENDING, next_attempt_at=due)
    raise RetryLater(result.reason, seconds=seconds)


def webhook_secret(*, user_id: int) -> str:
    """The user's own secret, of the master that is not being rotated out."""
    return signing.user_secret(settings.WEBHOOK_SECRET[0], user_id)


def _post(callback: Callback, clock: Callable[[], datetime]) -> Result:
    started_at, started = clock(), time.monotonic()
    body = bytes(callback.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **callback.headers,
        **signing.headers(
            webhook_id=callback.webhook_id,
            timestamp=int(started_at.timestamp()),
            body=body,
            user_id=callback.user_id,
            masters=_masters(),
        ),
    }
    try:
        answer = transport.post(
            callback.callback_url,
            body=body,
            headers=headers,
            timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
            allowed=settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS,
        )
    except transport.TransportError as error:
        return Result(
            started_at,
            _milliseconds_since(started),
            error=error.reason,
            address=error.address,
            is_retried=not error.permanent,
        )
    return Result(
        started_at,
        _milliseconds_since(started),
        status=answer.status,
        address=answer.address,
        excerpt=answer.excerpt,
        retry_after=backoff.parse_retry_after(answer.retry_after, clock()),
        is_retried=backoff.is_retried(answer.status),
    )


def _record(
    callback: Callback,
    number: int,
    result: Result,
    state: Callback.State,
    next_attempt_at: datetime | None = None,
) -> None:
    """Write an attempt and the callback's new state.

    What was deleted meanwhile stays cancelled, what another worker delivered stays delivered.
    """
    row = ownership.lock_row(callback)
    is_open = row.state in (State.PENDING, State.FAILED)
    CallbackAttempt.objects.create(
        callback=row,
        number=number,
        started_at=result.started_at,
        duration_ms=result.duration_ms,
        status_code=result.status,
        error=result.error,
        address=result.address,
        response_excerpt=result.excerpt if is_open else "",
    )
    row.attempts += 1
    if is_open:
        row.state = state
        row.next_attempt_at = next_attempt_at
        row.last_error = "" if result.is_success else result.reason
    row.save(update_fields=["attempts", "state", "next_attempt_at", "last_error", "updated_at"])


def _masters() -> Sequence[str]:
    masters: Sequence[str] = settings.WEBHOOK_SECRET
    return masters


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)

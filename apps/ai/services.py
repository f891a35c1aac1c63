"""Judging one request and recording its one outcome; forgetting what its owner deleted."""

import random
from typing import Any

import structlog
from django.conf import settings

from apps.ai import outcomes, rubrics, tombstones
from apps.ai.configured import guarded
from apps.ai.failures import Failure, Later, judge_failure
from apps.ai.hashing import key_of, text_hash
from apps.ai.judging import judge
from apps.ai.known import Known, look
from apps.ai.ledger import Account
from apps.ai.limits import Turn
from apps.ai.outcomes import Outcome
from apps.ai.prompts import PROMPT_VERSION
from apps.ai.provider import Provider, ProviderError
from apps.ai.settling import Settled, settle
from kafka_bridge.events import DeleteProcessing, DeleteRequirements, NewRequest
from kafka_bridge.tasks import Attempt, Permanent, RetryLater, nearly_done
from resume_platform import marks

log = structlog.get_logger(__name__)

# As long again as the rubric has been in the making: a quick one is not missed, a slow one is not
# asked for by hundreds of rows twice a second.
RUBRIC_WAIT_SECONDS = (0.3, 3.0)
_WAIT_SPREAD = 0.2  # so that what waited for one limit does not come back in one instant


def analyze(*, event: NewRequest, attempt: Attempt, provider: Provider) -> None:
    """Judge, then record the outcome of this run with its events in one transaction.

    The first outcome of a run stays; a repeated request adds nothing. Raises RetryLater while
    another attempt may help, Permanent where the id belongs to somebody else.
    """
    known = look(
        event,
        rubric_key=rubrics.key(event.requirements, provider.model),
        resume_hash=_resume_hash(event),
    )
    if known.is_settled:
        return
    if known.is_deleted:
        log.info("ai.skipped_deleted", processing_id=event.processing_id, run=event.run)
        return
    values, outcome = _judged(event, attempt, provider, known)
    settled = _settle(event, attempt, values, outcome)
    if settled.is_deleted:
        log.info("ai.dropped_deleted", processing_id=event.processing_id, run=event.run)
        return
    marks.mark("ai", event.processing_id)
    log.info(
        "ai.settled",
        processing_id=event.processing_id,
        run=event.run,
        status=values["status"],
        error_code=values.get("error_code", ""),
        latency_ms=settled.latency_ms,
        is_first=settled.is_written,
        redacted=outcomes.redacted(values),
        flags=values.get("flags", 0),
    )


def _settle(
    event: NewRequest, attempt: Attempt, values: dict[str, Any], outcome: Outcome
) -> Settled:
    """Write the outcome and tell it, if it is the run's first. Raises Permanent, RetryLater."""
    nearly_done()
    with attempt.finish():
        settled = settle(event, values)
        if settled.is_beside:
            raise RetryLater("settled_beside", seconds=0.0, counted=False)
        if settled.is_written:
            outcomes.tell(event, outcome)
        elif not settled.is_deleted and settled.owner != event.user_id:
            raise Permanent("owner_conflict")
    return settled


def forget(*, event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    """Bury the ids and drop what was concluded about them; rows of other users stay untouched."""
    with attempt.finish():
        tombstones.lock_user(event.user_id)
        if isinstance(event, DeleteRequirements):
            tombstones.bury(
                user_id=event.user_id,
                processing_ids=event.processings_ids,
                requirements_ids=event.requirements_ids,
            )
        else:
            tombstones.bury(
                user_id=event.user_id, processing_ids=event.processing_ids, requirements_ids=[]
            )


def _judged(
    event: NewRequest, attempt: Attempt, provider: Provider, known: Known
) -> tuple[dict[str, Any], Outcome]:
    """(the analysis row's values, what it is about). Raises RetryLater."""
    rubric = known.rubric
    outcome: Outcome
    asked = guarded(
        provider,
        turn=Turn(
            user_id=event.user_id,
            row=f"{event.processing_id}.{event.run}",
            arrival=attempt.occurred_at.timestamp(),
        ),
        account=Account(event.user_id, event.processing_id, event.run),
    )
    is_redacting = settings.AI_REDACTION
    try:
        rubric = rubric or rubrics.obtain(
            event.requirements,
            user_id=event.user_id,
            provider=asked,
            is_redacting=is_redacting,
        )
        outcome = known.earlier or judge(
            event.resume,
            rubric=rubric,
            provider=asked,
            suitable_score=settings.AI_SUITABLE_SCORE,
            is_redacting=is_redacting,
        )
    except rubrics.RubricInTheMaking as making:
        shortest, longest = RUBRIC_WAIT_SECONDS
        raise RetryLater(
            "rubric_in_the_making",
            seconds=max(shortest, min(longest, making.seconds)),
            counted=False,
        ) from None
    except (ProviderError, rubrics.NothingDemanded) as error:
        outcome = _final(error, attempt)
    values: dict[str, Any] = {
        "resume_hash": _resume_hash(event),
        "requirements_hash": text_hash(event.requirements),
        "rubric_id": rubric.id if rubric else None,
        "prompt_version": PROMPT_VERSION,
        "model": provider.model,
    }
    return values | outcomes.row_values(outcome), outcome


def _resume_hash(event: NewRequest) -> str:
    """The text, and the settings without which its judgement would be another."""
    return key_of(event.resume, str(settings.AI_REDACTION), str(settings.AI_SUITABLE_SCORE))


def _final(error: ProviderError | rubrics.NothingDemanded, attempt: Attempt) -> Failure:
    """The failure to tell of; raises RetryLater where another attempt may help."""
    meaning = judge_failure(
        error, is_last=attempt.is_last, max_wait=float(settings.AI_MAX_WAIT_SECONDS)
    )
    if isinstance(meaning, Later):
        seconds = meaning.seconds
        if seconds is not None and meaning.is_counted:
            seconds *= 1 + random.uniform(0, _WAIT_SPREAD)  # noqa: S311  spreads load, no secret
        raise RetryLater(meaning.reason, seconds=seconds, counted=meaning.is_counted) from None
    log.warning("ai.failed", error_code=meaning.code, reason=str(error))
    return meaning

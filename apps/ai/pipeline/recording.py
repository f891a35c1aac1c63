"""Records the one outcome of a run and its events: whoever comes first, unless it was deleted."""

import json
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from apps.ai import language, tombstones
from apps.ai.content_hash import text_hash
from apps.ai.models import Analysis
from apps.ai.pipeline.failures import SENTENCES
from apps.ai.pipeline.known import resume_hash
from apps.ai.pipeline.outcome import Outcome
from apps.ai.provider import usage_ledger
from apps.ai.provider.prompts import PROMPT_VERSION
from kafka_bridge import outbox
from kafka_bridge.contract.events import (
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewSending,
    SendingResponse,
)

# In one round trip; the second statement sees what was committed while the first waited. The lock
# holds until the transaction ends: judgements of one user pass together, a deletion alone. Without
# it a deletion could commit between a judgement's look and its commit.
_RECORD = f"""
SELECT pg_advisory_xact_lock_shared(hashtextextended(%(lock)s, 0));
WITH known AS (
    SELECT {tombstones.HAS_TOMBSTONE} AS is_deleted,
           (SELECT user_id FROM ai_analysis
            WHERE processing_id = %(processing)s AND run = %(run)s) AS owner
), spent AS (
    {usage_ledger.SPENT}
), written AS (
    INSERT INTO ai_analysis (
        processing_id, run, user_id, requirements_id, status, resume_hash, requirements_hash,
        rubric_id, prompt_version, model, result, score, verdict, error_code, wait_seconds,
        reused_from, flags, input_tokens, output_tokens, latency_ms, cost, created_at)
    SELECT %(processing)s, %(run)s, %(user)s, %(requirements)s, %(status)s, %(resume_hash)s,
           %(requirements_hash)s, %(rubric_id)s, %(prompt_version)s, %(model)s, %(result)s,
           %(score)s, %(verdict)s, %(error_code)s, %(wait_seconds)s, %(reused_from)s, %(flags)s,
           spent.input_tokens, spent.output_tokens, spent.latency_ms, spent.cost, clock_timestamp()
    FROM known, spent WHERE NOT is_deleted AND owner IS NULL
    ON CONFLICT (processing_id, run) DO NOTHING
    RETURNING latency_ms
)
SELECT is_deleted, owner, latency_ms FROM known LEFT JOIN written ON TRUE
"""  # noqa: S608  built of constants alone


@dataclass(frozen=True)
class Recorded:
    """`owner`: whose outcome the run had before; `latency_ms`: the model's, None if not written."""

    is_deleted: bool
    owner: int | None
    latency_ms: int | None

    @property
    def is_written(self) -> bool:
        return self.latency_ms is not None

    @property
    def is_concurrent(self) -> bool:
        """Whether another outcome of the run committed in this very moment."""
        return not (self.is_written or self.is_deleted) and self.owner is None


def record(
    event: NewRequest, outcome: Outcome, *, model: str, rubric_id: int | None = None
) -> Recorded:
    """Write the outcome with all that the run has cost, and its events if it is the run's first.

    Needs a transaction.
    """
    status = Analysis.Status.FAILED if outcome.error_code else Analysis.Status.FINISHED
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                **tombstones.parameters(event),
                "lock": tombstones.lock_name(event.user_id),
                "status": status.value,
                "resume_hash": resume_hash(event),
                "requirements_hash": text_hash(event.requirements),
                "rubric_id": rubric_id,
                "prompt_version": PROMPT_VERSION,
                "model": model,
                "result": json.dumps(outcome.result, ensure_ascii=False)
                if outcome.result
                else None,
                "score": outcome.score,
                "verdict": outcome.verdict,
                "error_code": outcome.error_code,
                "wait_seconds": outcome.wait_seconds,
                "reused_from": outcome.reused_from,
                "flags": len(outcome.details.get("flags", ())),
            },
        )
        recorded = Recorded(*cursor.fetchone())
    if recorded.is_written:
        _enqueue_events(event, outcome)
    return recorded


def _enqueue_events(event: NewRequest, outcome: Outcome) -> None:
    ids = {
        "processing_id": event.processing_id,
        "user_id": event.user_id,
        "resume_id": event.resume_id,
        "requirements_id": event.requirements_id,
    }
    is_notification = NewNotifications.key == settings.OUTCOME_EVENT
    outcome_event = NewNotifications if is_notification else NewSending
    if outcome.result is None:
        outbox.enqueue(
            outcome_event(
                success=False,
                response=SendingResponse(callback_url=event.callback_url, **ids),
                message_error=SENTENCES[outcome.error_code][language.detect(event.requirements)],
                wait_seconds=outcome.wait_seconds,
                run=event.run,
            )
        )
        return
    judgement = {"score": outcome.score, "verdict": outcome.verdict, **outcome.result}
    # First what the client waits for.
    outbox.enqueue(
        outcome_event(
            success=True,
            response=SendingResponse(callback_url=event.callback_url, **ids, **judgement),
            run=event.run,
        ),
        NewProcessing(**ids, **judgement, run=event.run),
    )

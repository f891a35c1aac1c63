"""What an outcome becomes: the values of its row and the events that tell of it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.ai import language
from apps.ai.failures import Failure
from apps.ai.judging import Judgement
from apps.ai.known import Earlier
from apps.ai.models import Analysis
from kafka_bridge import outbox
from kafka_bridge.events import (
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewSending,
    SendingResponse,
)

# A judgement made now, an earlier one of the same texts, or a final failure.
Outcome = Judgement | Earlier | Failure


def row_values(outcome: Outcome) -> dict[str, Any]:
    """Without the costs, which are in the books."""
    if isinstance(outcome, Failure):
        return {
            "status": Analysis.Status.FAILED.value,
            "error_code": outcome.code,
            "wait_seconds": outcome.wait_seconds,
        }
    if isinstance(outcome, Earlier):
        result, reused_from = outcome.result, outcome.id
    else:
        reused_from = None
        result = {
            "matches": outcome.matches,
            "recommendation": outcome.recommendation,
            "details": outcome.details,
        }
    return {
        "status": Analysis.Status.FINISHED.value,
        "result": result,
        "score": outcome.score,
        "verdict": outcome.verdict,
        "flags": len(result["details"].get("flags", ())),
        "reused_from": reused_from,
    }


def redacted(values: Mapping[str, Any]) -> dict[str, int]:
    """How many of each kind did not leave: all that may be logged of a row's result."""
    result = values.get("result") or {}
    return dict(result.get("details", {}).get("redacted", {}))


def tell(event: NewRequest, outcome: Outcome) -> None:
    ids = {
        "processing_id": event.processing_id,
        "user_id": event.user_id,
        "resume_id": event.resume_id,
        "requirements_id": event.requirements_id,
    }
    told = NewNotifications if NewNotifications.key == settings.OUTCOME_EVENT else NewSending
    if isinstance(outcome, Failure):
        outbox.enqueue(
            told(
                success=False,
                response=SendingResponse(callback_url=event.callback_url, **ids),
                message_error=outcome.sentence(language.detect(event.requirements)),
                wait_seconds=outcome.wait_seconds,
                run=event.run,
            )
        )
        return
    if isinstance(outcome, Earlier):
        stored = outcome.result
        matches, recommendation = stored["matches"], stored["recommendation"]
        details = stored["details"]
    else:
        matches, recommendation = outcome.matches, outcome.recommendation
        details = outcome.details
    judged = {
        "score": outcome.score,
        "matches": matches,
        "recommendation": recommendation,
        "verdict": outcome.verdict,
        "details": details,
    }
    # First what the client waits for.
    outbox.enqueue(
        told(
            success=True,
            response=SendingResponse(callback_url=event.callback_url, **ids, **judged),
            run=event.run,
        ),
        NewProcessing(**ids, **judged, run=event.run),
    )

"""Cancels a run before it is judged, and forgets what its owner deleted."""

from django.conf import settings
from django.db import transaction

from apps.ai import tombstones
from apps.ai.pipeline.outcome import Outcome
from apps.ai.pipeline.recording import record
from kafka_bridge.contract.events import DeleteProcessing, DeleteRequirements, NewRequest
from kafka_bridge.tasks import Attempt
from resume_platform.redis import processed_marks


@transaction.atomic
def cancel(*, request: NewRequest) -> bool:
    """Make "cancelled" the run's one outcome and send it; False if it has an outcome already.

    A judgement under way comes second then, and what it found is dropped. `request` needs no
    resume; its requirements say in which language the client is told.
    """
    recorded = record(request, Outcome(error_code="cancelled"), model=settings.OPENAI_MODEL)
    if recorded.is_written:
        transaction.on_commit(
            lambda: processed_marks.mark("ai", request.processing_id), robust=True
        )
    return recorded.is_written


def forget(*, event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    """Write tombstones and drop what was concluded; rows of other users stay untouched."""
    if isinstance(event, DeleteRequirements):
        processings, requirements = event.processings_ids, event.requirements_ids
    else:
        processings, requirements = event.processing_ids, []
    with attempt.finish():
        tombstones.lock_user(event.user_id)
        tombstones.write(
            user_id=event.user_id, processing_ids=processings, requirements_ids=requirements
        )

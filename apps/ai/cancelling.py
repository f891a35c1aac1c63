"""A run that staff end before it is judged."""

from django.conf import settings
from django.db import transaction

from apps.ai import outcomes, settling
from apps.ai.failures import Failure
from apps.ai.prompts import PROMPT_VERSION
from kafka_bridge.events import NewRequest
from resume_platform import marks

CANCELLED = Failure("cancelled")


@transaction.atomic
def cancel(*, request: NewRequest) -> bool:
    """Make "cancelled" the run's one outcome and tell it; False if it has an outcome already.

    A judgement under way comes second then, and what it found is dropped. `request` needs no
    resume; its requirements say in which language the client is told.
    """
    settled = settling.settle(
        request,
        {
            "prompt_version": PROMPT_VERSION,
            "model": settings.OPENAI_MODEL,
            **outcomes.row_values(CANCELLED),
        },
    )
    if settled.is_written:
        outcomes.tell(request, CANCELLED)
        transaction.on_commit(lambda: marks.mark("ai", request.processing_id), robust=True)
    return settled.is_written

"""A run that staff end before it is judged."""

from django.conf import settings
from django.db import transaction

from apps.ai import ledger, outcomes, tombstones
from apps.ai.failures import Failure
from apps.ai.ledger import Account
from apps.ai.models import Analysis
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
    is_deleted, owner = tombstones.standing(request)
    if is_deleted or owner is not None:
        return False
    account = Account(request.user_id, request.processing_id, request.run)
    _, created = Analysis.objects.get_or_create(
        processing_id=request.processing_id,
        run=request.run,
        defaults={
            "user_id": request.user_id,
            "requirements_id": request.requirements_id,
            "prompt_version": PROMPT_VERSION,
            "model": settings.OPENAI_MODEL,
            **outcomes.row_values(CANCELLED),
            **ledger.totals(account),
        },
    )
    if created:
        outcomes.tell(request, CANCELLED)
        # So that the row that waits to be judged ends without asking the model.
        transaction.on_commit(lambda: marks.mark("ai", request.processing_id), robust=True)
    return created

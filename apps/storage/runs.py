"""The next run of a stored processing, as the event that asks for it or that ends it in failure."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from apps.storage.models import StoredProcessing, StoredRequirements, StoredResume
from kafka_bridge.contract.events import (
    MAX_RUN,
    NewNotifications,
    NewRequest,
    NewSending,
    SendingResponse,
)


def claimed_earlier() -> Exists:
    """True of the rows of strangers: somebody else claimed their id before."""
    return Exists(
        StoredProcessing.objects.filter(
            Q(create_at__lt=OuterRef("create_at"))
            | Q(create_at=OuterRef("create_at"), user_id__lt=OuterRef("user_id")),
            processing_id=OuterRef("processing_id"),
        )
    )


def following(run: int) -> int:
    """The run after this one; the last that there may be is its own."""
    return min(run + 1, MAX_RUN)


def request(row: StoredProcessing, *, run: int) -> NewRequest | None:
    """None if the texts never came or are deleted."""
    resume = StoredResume.objects.filter(
        resume_id=row.resume_id, user_id=row.user_id, deleted=False
    ).first()
    requirements = StoredRequirements.objects.filter(
        requirements_id=row.requirements_id, user_id=row.user_id, deleted=False
    ).first()
    if resume is None or requirements is None:
        return None
    texts = {"resume": resume.resume, "requirements": requirements.requirements}
    return request_without_texts(row, run=run).model_copy(update=texts)


def request_without_texts(row: StoredProcessing, *, run: int) -> NewRequest:
    return NewRequest(**_subject(row), resume="", requirements="", run=run)


def failure(row: StoredProcessing, *, run: int, sentence: str) -> NewSending | NewNotifications:
    """The run's outcome, as the client shall be told it."""
    told = NewNotifications if NewNotifications.key == settings.OUTCOME_EVENT else NewSending
    return told(
        success=False,
        response=SendingResponse(**_subject(row)),
        message_error=sentence,
        run=run,
    )


def _subject(row: StoredProcessing) -> dict[str, Any]:
    return {
        "callback_url": row.callback_url,
        "processing_id": row.processing_id,
        "user_id": row.user_id,
        "resume_id": row.resume_id,
        "requirements_id": row.requirements_id,
    }

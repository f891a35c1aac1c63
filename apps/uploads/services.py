"""Uploading texts and files, starting and deleting processings.

Rows and their events commit together. Locks are taken in one order: resumes by id, then rows of
requirements by id, then processings by id.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.uploads import file_errors, start_limit, text_cache
from apps.uploads.extraction.errors import ExtractionError
from apps.uploads.extraction.extract import ExtractedText, extract
from apps.uploads.models import Processing, Requirements, Resume
from kafka_bridge import outbox
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    NewRequest,
    NewRequirements,
    NewResume,
)
from resume_platform.http.errors import Forbidden, NotFound
from resume_platform.postgresql_pool.release import release_connection
from resume_platform.text import Text, TextTooLong

Row = TypeVar("Row", Resume, Requirements)

# Keeps an event under Kafka's usual limit of a megabyte, however large the vacancy was.
IDS_PER_EVENT = 20_000


@transaction.atomic
def create_resume(
    *, user_id: int, text: Text, flags: Sequence[Mapping[str, str | int]] = ()
) -> Resume:
    """`flags`: what was hidden in the file that the text was extracted from."""
    resume = Resume.objects.create(user_id=user_id, text=text, flags=list(flags))
    outbox.enqueue(NewResume(resume_id=resume.id, user_id=user_id, resume=text))
    transaction.on_commit(partial(text_cache.remember, resume))
    return resume


@transaction.atomic
def create_requirements(*, user_id: int, text: Text) -> Requirements:
    requirements = Requirements.objects.create(user_id=user_id, text=text)
    outbox.enqueue(
        NewRequirements(requirements_id=requirements.id, user_id=user_id, requirements=text)
    )
    transaction.on_commit(partial(text_cache.remember, requirements))
    return requirements


def create_resume_from_file(*, user_id: int, name: str, content: bytes) -> Resume:
    """Raises BadInput or TooLarge, with a code for each way in which a file can be unreadable."""
    found = _extracted(user_id, name, content, max_chars=settings.MAX_CHARS_RESUME)
    return create_resume(user_id=user_id, text=found.text, flags=found.flags)


def create_requirements_from_file(*, user_id: int, name: str, content: bytes) -> Requirements:
    """Raises as `create_resume_from_file` does."""
    found = _extracted(user_id, name, content, max_chars=settings.MAX_CHARS_REQUIREMENTS)
    return create_requirements(user_id=user_id, text=found.text)


def _extracted(user_id: int, name: str, content: bytes, *, max_chars: int) -> ExtractedText:
    release_connection()  # others need it for the seconds that reading may take
    try:
        return extract(name, content, max_chars, owner=user_id)
    except ExtractionError as error:
        raise file_errors.domain_error(error) from error
    except TextTooLong as error:
        raise file_errors.too_many_characters(max_chars) from error


@transaction.atomic
def start_processing(
    *, user_id: int, resume_id: int, requirements_id: int, callback_url: str
) -> Processing:
    """Have a resume judged. The callback URL was checked before.

    Raises NotFound, Forbidden and TooManyRequests. Only what would otherwise start counts
    against the limit.
    """
    # A deletion waits for these locks, and a start for a deletion's.
    resume = _lock(Resume, resume_id, user_id)
    requirements = _lock(Requirements, requirements_id, user_id)
    start_limit.take_start(user_id=user_id)
    processing = Processing.objects.create(
        user_id=user_id, resume=resume, requirements=requirements, callback_url=callback_url
    )
    structlog.contextvars.bind_contextvars(processing_id=processing.id)
    outbox.enqueue(
        NewRequest(
            callback_url=callback_url,
            processing_id=processing.id,
            user_id=user_id,
            resume_id=resume_id,
            requirements_id=requirements_id,
            resume=resume.text,
            requirements=requirements.text,
        )
    )
    return processing


@transaction.atomic
def delete_processings(*, user_id: int, processing_ids: Collection[int]) -> bool:
    """Delete the user's own; ids of others and unknown ids change nothing.

    True if something was deleted.
    """
    deleted = delete_live_processings(
        Processing.objects.filter(user_id=user_id, id__in=processing_ids)
    )
    if deleted:
        outbox.enqueue(DeleteProcessing(processing_ids=deleted, user_id=user_id))
    return bool(deleted)


@transaction.atomic
def delete_requirements(*, user_id: int, requirements_ids: Collection[int]) -> bool:
    """Delete the user's own requirements and their processings; as `delete_processings` else."""
    own = list(
        Requirements.objects.defer("text")
        .select_for_update(no_key=True)
        .filter(user_id=user_id, id__in=requirements_ids, deleted_at=None)
        .order_by("id")
    )
    if not own:
        return False
    ids = [requirements.id for requirements in own]
    Requirements.objects.filter(id__in=ids).update(deleted_at=timezone.now())
    processings = delete_live_processings(Processing.objects.filter(requirements_id__in=ids))
    for start in range(0, max(1, len(processings)), IDS_PER_EVENT):
        outbox.enqueue(
            DeleteRequirements(
                processings_ids=processings[start : start + IDS_PER_EVENT],
                requirements_ids=ids,
                user_id=user_id,
            )
        )
    transaction.on_commit(partial(text_cache.forget, *own))
    return True


def delete_live_processings(processings: QuerySet[Processing]) -> list[int]:
    """Mark those that are not yet; returns their ids. Tells nobody. Needs a transaction."""
    live = processings.filter(deleted_at=None).order_by("id").select_for_update(no_key=True)
    ids = list(live.values_list("id", flat=True))
    Processing.objects.filter(id__in=ids).update(deleted_at=timezone.now())
    return ids


def _lock(model: type[Row], id_: int, user_id: int) -> Row:
    """The user's own row, locked. Raises NotFound and Forbidden."""
    row = (
        model.objects.select_for_update(no_key=True)
        .filter(id=id_, user_id=user_id, deleted_at=None)
        .first()
    )
    if row is not None:
        return row
    if model.objects.filter(id=id_, deleted_at=None).exists():
        raise Forbidden(_("It belongs to another user."), "not_owner")
    if model is Resume:
        raise NotFound(_("There is no such resume."), "resume_not_found")
    raise NotFound(_("There are no such requirements."), "requirements_not_found")

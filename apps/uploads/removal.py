"""Processings that staff delete together with their texts."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.uploads import text_cache
from apps.uploads.models import Processing, Requirements, Resume
from apps.uploads.services import delete_live_processings
from kafka_bridge import outbox
from kafka_bridge.contract.events import DeleteProcessing, DeleteRequirements


@dataclass(frozen=True)
class Removed:
    """The ids that are gone now and were not before."""

    processings: list[int]
    resumes: list[int]
    requirements: list[int]

    def __bool__(self) -> bool:
        return bool(self.processings or self.resumes or self.requirements)


@transaction.atomic
def delete_with_texts(*, user_id: int, processing_ids: Collection[int]) -> Removed:
    """Delete these of the user's, and the texts that no other processing of theirs refers to.

    Of processings that are deleted already the texts go too, so that it may be asked for twice.
    """
    own = Processing.objects.filter(user_id=user_id, id__in=processing_ids)
    # A start shares these two locks, so nothing begins to refer to what goes.
    resumes = list(
        Resume.objects.defer("text")
        .select_for_update(no_key=True)
        .filter(user_id=user_id, id__in=own.values("resume_id"), deleted_at=None)
        .order_by("id")
    )
    requirements = list(
        Requirements.objects.defer("text")
        .select_for_update(no_key=True)
        .filter(user_id=user_id, id__in=own.values("requirements_id"))
        .order_by("id")
    )
    deleted = delete_live_processings(own)
    own.update(callback_url="")
    gone_resumes = _empty_unused_resumes(resumes)
    gone_requirements = _empty_unused_requirements(requirements)
    removed = Removed(deleted, gone_resumes, gone_requirements)
    if deleted or gone_resumes:
        outbox.enqueue(
            DeleteProcessing(processing_ids=deleted, resume_ids=gone_resumes, user_id=user_id)
        )
    if gone_requirements:
        outbox.enqueue(DeleteRequirements(requirements_ids=gone_requirements, user_id=user_id))
    transaction.on_commit(partial(text_cache.forget, *resumes, *requirements))
    return removed


def _empty_unused_resumes(rows: Collection[Resume]) -> list[int]:
    used = Processing.objects.filter(resume=OuterRef("pk"), deleted_at=None)
    unused = Resume.objects.filter(~Exists(used), id__in=[row.id for row in rows])
    ids = sorted(unused.values_list("id", flat=True))
    Resume.objects.filter(id__in=ids).update(text="", flags=[], deleted_at=timezone.now())
    return ids


def _empty_unused_requirements(rows: Collection[Requirements]) -> list[int]:
    """Returns those that were live; what the user deleted before loses its text here as well."""
    used = Processing.objects.filter(requirements=OuterRef("pk"), deleted_at=None)
    unused = Requirements.objects.filter(~Exists(used), id__in=[row.id for row in rows])
    ids = sorted(unused.values_list("id", flat=True))
    live = sorted(row.id for row in rows if row.deleted_at is None and row.id in set(ids))
    Requirements.objects.filter(id__in=ids).update(text="")
    Requirements.objects.filter(id__in=live).update(deleted_at=timezone.now())
    return live

"""Writes tombstones of what its owner deleted, under the lock that orders deletions."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import QuerySet

from apps.ai.models import Analysis, Rubric, Tombstone
from kafka_bridge.contract.events import NewRequest

# With `parameters`: whether the owner deleted the processing or its requirements.
HAS_TOMBSTONE = """
EXISTS (SELECT 1 FROM ai_tombstone WHERE user_id = %(user)s
        AND ((kind = 'processing' AND ref_id = %(processing)s)
             OR (kind = 'requirements' AND ref_id = %(requirements)s)))
"""


def parameters(event: NewRequest) -> dict[str, int]:
    """What statements about one run name it by."""
    return {
        "user": event.user_id,
        "processing": event.processing_id,
        "requirements": event.requirements_id,
        "run": event.run,
    }


def lock_user(user_id: int) -> None:
    """Until the transaction ends no judgement of the user's can be settled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock_name(user_id)]
        )


def lock_name(user_id: int) -> str:
    """Judgements of the user are settled under this lock, shared; deletions alone."""
    return f"ai.user:{user_id}"


def write(*, user_id: int, processing_ids: Iterable[int], requirements_ids: Iterable[int]) -> None:
    """Write the tombstones and empty the user's analyses of these ids. Needs the user's lock."""
    processings, requirements = set(processing_ids), set(requirements_ids)
    refs = [(Tombstone.Kind.PROCESSING, ref) for ref in sorted(processings)]
    refs += [(Tombstone.Kind.REQUIREMENTS, ref) for ref in sorted(requirements)]
    Tombstone.objects.bulk_create(
        [Tombstone(kind=kind, ref_id=ref, user_id=user_id) for kind, ref in refs],
        ignore_conflicts=True,
    )
    own = Analysis.objects.filter(user_id=user_id)
    _empty(own.filter(processing_id__in=processings))
    about = own.filter(requirements_id__in=requirements)
    used = set(about.filter(rubric__isnull=False).values_list("rubric_id", flat=True))
    _empty(about)
    _drop_unused_rubrics(used)


def _empty(analyses: QuerySet[Analysis]) -> None:
    analyses.update(
        status=Analysis.Status.FORGOTTEN,
        result=None,
        score=None,
        verdict="",
        resume_hash="",
        requirements_hash="",
    )


def _drop_unused_rubrics(ids: set[int]) -> None:
    """A rubric repeats the requirements' words: it goes with the last analysis that needs it."""
    needed = Analysis.objects.filter(
        rubric_id__in=ids, status=Analysis.Status.FINISHED
    ).values_list("rubric_id", flat=True)
    Rubric.objects.filter(pk__in=ids - set(needed)).delete()

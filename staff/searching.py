"""The search over processings: an id, a user, or words of the texts."""

from django.db.models import Q, QuerySet

from apps.storage import words
from apps.storage.models import StoredProcessing, StoredRequirements
from staff.filters import as_id, users_like

# Of texts that match, the newest so many; of requirements, so many of the newest are read at all.
MAX_TEXTS = 1_000
MAX_REQUIREMENTS = 5_000


def search(
    processings: QuerySet[StoredProcessing], term: str, *, in_texts: bool = True
) -> QuerySet[StoredProcessing]:
    """Those that the term names by a number, by their user, or by words of resume or requirements.

    `in_texts` says whether the asker may know what the texts hold.
    """
    term = term.strip()
    if not term:
        return processings
    number = as_id(term)
    if number is not None:
        return processings.filter(
            Q(processing_id=number)
            | Q(user_id=number)
            | Q(requirements_id=number)
            | Q(resume_id=number)
        )
    found = Q(user_id__in=users_like(term))
    if in_texts and "@" not in term:
        found |= Q(resume_id__in=words.resumes_with(term, limit=MAX_TEXTS))
        found |= Q(requirements_id__in=_requirements_with(term))
    return processings.filter(found)


def _requirements_with(term: str) -> list[int]:
    newest = StoredRequirements.objects.order_by("-pk").values("pk")[:MAX_REQUIREMENTS]
    alike = StoredRequirements.objects.filter(pk__in=newest, requirements__icontains=term)
    return list(alike.values_list("requirements_id", flat=True)[:MAX_TEXTS])

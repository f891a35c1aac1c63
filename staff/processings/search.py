"""The search over processings: an id, a user, or words of the texts."""

from django.db.models import Q, QuerySet

from apps.storage.models import StoredProcessing
from apps.storage.projection import search_words
from staff.processings.filters import as_id, users_like

# Of the texts that match, the newest so many.
MAX_TEXTS = 500
MAX_VACANCIES = 50


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
        found |= Q(resume_id__in=search_words.texts_with("resume", term, limit=MAX_TEXTS))
        found |= Q(
            requirements_id__in=search_words.texts_with("requirements", term, limit=MAX_VACANCIES)
        )
    return processings.filter(found)

"""The words of the resumes, kept beside them so that staff can search 100,000 texts at once.

Making a text's vector takes longer than storing it, so it is not done on the way in but by rounds
(decision 0061). Words leave with their text: a trigger deletes them when it changes or goes.
"""

import re
from collections.abc import Sequence

from django.db import connection

from apps.storage.models import ResumeWords, StoredResume

EVERY_SECONDS = 5.0
# Bounds a round to about a second of one core.
AT_ONCE = 1_000
# Sequences commit out of order, and a changed text loses its words: so far back a round looks.
_LOOK_BACK = 20_000
_MAX_WORDS = 8
# The phrase is cut into words as the texts were; three letters and more match as a beginning,
# because the words of Russian end in many ways.
_HAS_WORDS = r"""
words @@ regexp_replace(
    plainto_tsquery('simple', %s)::text, $$'([^']{3,})'$$, $$'\1':*$$, 'g')::tsquery
"""

# The lock makes a round and an erasure of the same text wait for each other, so that no words
# of a text are written once it is gone.
_INDEX = """
WITH chosen AS (
    SELECT r.id, r.resume FROM storage_storedresume AS r
    WHERE r.id > (SELECT COALESCE(max(resume_pk), 0) FROM storage_resumewords) - %(look_back)s
      AND r.resume <> ''
      AND NOT EXISTS (SELECT 1 FROM storage_resumewords AS w WHERE w.resume_pk = r.id)
    ORDER BY r.id LIMIT %(at_once)s
    FOR SHARE OF r SKIP LOCKED
)
INSERT INTO storage_resumewords (resume_pk, words)
SELECT id, to_tsvector('simple', resume) FROM chosen
ON CONFLICT DO NOTHING
"""


def index_new(at_once: int = AT_ONCE) -> int:
    """One round; returns how many resumes were added."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEX, {"look_back": _LOOK_BACK, "at_once": at_once})
        return int(cursor.rowcount)


def resumes_with(phrase: str, *, limit: int) -> Sequence[int]:
    """The ids of the newest resumes that hold all of the phrase's words, or words that begin so."""
    # What a query's own syntax gives a meaning to is no part of a word.
    phrase = " ".join(re.sub(r"['\\\x00]", " ", phrase).split()[:_MAX_WORDS])
    newest = (
        ResumeWords.objects.extra(where=[_HAS_WORDS], params=[phrase])  # noqa: S610  a parameter
        .order_by("-resume_pk")
        .values_list("resume_pk", flat=True)[:limit]
    )
    # Two statements: joined, the planner may walk the table instead of the index.
    return list(
        StoredResume.objects.filter(pk__in=list(newest)).values_list("resume_id", flat=True)
    )

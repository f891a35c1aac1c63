"""The words of resumes and requirements, kept beside them so that staff can search all of them.

Making a text's vector takes longer than storing it, so it is not done on the way in but by rounds
(decision 0061). Words leave with their text: a trigger deletes them when it changes or goes.
"""

import re
from typing import Literal

from django.db import connection

Kind = Literal["resume", "requirements"]

EVERY_SECONDS = 5.0
# Bounds a round to about a second of one core.
AT_ONCE = 1_000
# Sequences commit out of order, and a changed text loses its words: so far back a round looks.
_LOOK_BACK = 20_000
KINDS: tuple[Kind, ...] = ("resume", "requirements")

# The lock makes a round and an erasure of the same text wait for each other, so that no words
# of a text are written once it is gone.
_INDEX = """
WITH chosen AS (
    SELECT t.id, t.{kind} AS text FROM storage_stored{kind} AS t
    WHERE t.id > (SELECT COALESCE(max({kind}_pk), 0) FROM storage_{kind}words) - %(look_back)s
      AND t.{kind} <> ''
      AND NOT EXISTS (SELECT 1 FROM storage_{kind}words AS w WHERE w.{kind}_pk = t.id)
    ORDER BY t.id LIMIT %(at_once)s
    FOR SHARE OF t SKIP LOCKED
)
INSERT INTO storage_{kind}words ({kind}_pk, words)
SELECT id, to_tsvector('simple', text) FROM chosen
ON CONFLICT DO NOTHING
"""

_MAX_WORDS = 8
# The phrase is cut into words as the texts were; three letters and more match as a beginning,
# because the words of Russian end in many ways. What is everywhere is found among the newest texts,
# without asking the index for all of them.
_FIND = r"""
WITH query AS MATERIALIZED (
    SELECT regexp_replace(
        plainto_tsquery('simple', %(phrase)s)::text, $$'([^']{{3,}})'$$, $$'\1':*$$, 'g'
    )::tsquery AS q
), recent AS MATERIALIZED (
    SELECT {kind}_pk AS id FROM (
        SELECT {kind}_pk, words FROM storage_{kind}words ORDER BY {kind}_pk DESC LIMIT %(recent)s
    ) AS newest
    WHERE words @@ (SELECT q FROM query) LIMIT %(limit)s
), found AS MATERIALIZED (
    SELECT {kind}_pk AS id FROM storage_{kind}words
    WHERE words @@ (SELECT q FROM query) AND (SELECT count(*) FROM recent) < %(limit)s
    ORDER BY {kind}_pk DESC LIMIT %(limit)s
)
SELECT {kind}_id FROM storage_stored{kind}
WHERE id = ANY(ARRAY(SELECT id FROM recent UNION SELECT id FROM found))
"""
_RECENT = 3_000


def index_new(at_once: int = AT_ONCE) -> int:
    """One round; returns how many texts were added."""
    added = 0
    with connection.cursor() as cursor:
        for kind in KINDS:
            cursor.execute(_INDEX.format(kind=kind), {"look_back": _LOOK_BACK, "at_once": at_once})
            added += cursor.rowcount
    return added


def texts_with(kind: Kind, phrase: str, *, limit: int) -> list[int]:
    """The ids of the newest texts that hold all of the phrase's words, or words that begin so.

    At least `limit` of them, where there are so many.
    """
    # What a query's own syntax gives a meaning to is no part of a word.
    phrase = " ".join(re.sub(r"['\\\x00]", " ", phrase).split()[:_MAX_WORDS])
    parameters: dict[str, str | int] = {"phrase": phrase, "limit": limit, "recent": _RECENT}
    with connection.cursor() as cursor:
        cursor.execute(_FIND.format(kind=kind), parameters)
        return [id_ for (id_,) in cursor.fetchall()]

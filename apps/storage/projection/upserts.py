"""One statement per table that joins a batch's rows with the stored ones (`reduction.py`).

A row that changes nothing is not written, so the second copy of a result costs no dead tuple.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from pydantic_core import to_json

from apps.storage.projection.batch_merge import NO_REQUEST, NO_RESULT, Grave, Row

USERS = """
INSERT INTO storage_storeduser AS s
    (user_id, username, full_name, created_at, event_at, event_hash)
SELECT * FROM json_to_recordset(%s) AS e(user_id bigint, username text, full_name text,
    created_at timestamptz, event_at timestamptz, event_hash text)
ON CONFLICT (user_id) DO UPDATE SET
    username = excluded.username, full_name = excluded.full_name,
    created_at = excluded.created_at, event_at = excluded.event_at,
    event_hash = excluded.event_hash
WHERE (excluded.event_at, excluded.event_hash) > (s.event_at, s.event_hash)
RETURNING user_id
"""

# The ids that changed, and whether somebody else has claimed one of them before. Looked up id by
# id: for a join, and without statistics, the planner reads the table, expecting such a claim soon.
_JOINED = """
WITH batch AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS row({columns})
), changed AS (
    {upsert}
    RETURNING {kind}_id AS id
)
SELECT ARRAY(SELECT id FROM changed), EXISTS (
    SELECT 1 FROM batch, LATERAL (
        SELECT 1 FROM storage_stored{kind} AS other
        WHERE other.{kind}_id = batch.{kind}_id AND other.user_id <> batch.user_id LIMIT 1
    ) AS claim)
"""

_TEXT_COLUMNS = """{kind}_id bigint, user_id bigint, create_at timestamptz, text text,
    text_at timestamptz, text_hash text, deleted boolean"""
_TEXTS = """
INSERT INTO storage_stored{kind} AS s
    ({kind}_id, user_id, create_at, {kind}, text_at, text_hash, deleted)
SELECT * FROM batch
ON CONFLICT ({kind}_id, user_id) DO UPDATE SET
    create_at = LEAST(s.create_at, excluded.create_at),
    {kind} = CASE WHEN {wins} THEN excluded.{kind} ELSE s.{kind} END,
    text_at = CASE WHEN {wins} THEN excluded.text_at ELSE s.text_at END,
    text_hash = CASE WHEN {wins} THEN excluded.text_hash ELSE s.text_hash END
WHERE excluded.create_at < s.create_at OR {wins}
"""
# A deleted row's text_at is null, which wins over nothing and loses to nothing.
_TEXT_WINS = "((excluded.text_at, excluded.text_hash) > (s.text_at, s.text_hash)) IS TRUE"

_EARLIER = (
    "(excluded.create_at, excluded.requirements_id, excluded.resume_id)"
    " < (s.create_at, s.requirements_id, s.resume_id)"
)
_DEAD = "'deleted' IN (s.status, excluded.status)"
_RESULT_WINS = (
    f"NOT {_DEAD} AND excluded.run IS NOT NULL AND (s.run IS NULL OR"
    " (excluded.run, excluded.result_at, excluded.result_hash)"
    " > (s.run, s.result_at, s.result_hash))"
)
_REQUEST_WINS = (
    f"NOT {_DEAD} AND excluded.requested_run IS NOT NULL AND (s.requested_run IS NULL OR"
    " (excluded.requested_run, excluded.requested_at, excluded.callback_url)"
    ' > (s.requested_run, s.requested_at, s.callback_url COLLATE "C"))'
)


def _taken(columns: Iterable[str], condition: str) -> str:
    return ", ".join(
        f"{c} = CASE WHEN {condition} THEN excluded.{c} ELSE s.{c} END" for c in columns
    )


_PROCESSING_COLUMNS = """processing_id bigint, user_id bigint, resume_id bigint,
    requirements_id bigint, create_at timestamptz, status text, run int, result_at timestamptz,
    result_hash text, score int, verdict text, matches jsonb, recommendation text, details jsonb,
    message_error text, wait_seconds int, requested_run int, requested_at timestamptz,
    callback_url text"""
_PROCESSINGS = f"""
INSERT INTO storage_storedprocessing AS s
    (processing_id, user_id, resume_id, requirements_id, create_at, status, run, result_at,
     result_hash, score, verdict, matches, recommendation, details, message_error, wait_seconds,
     requested_run, requested_at, callback_url)
SELECT * FROM batch
ON CONFLICT (processing_id, user_id) DO UPDATE SET
    {_taken(("create_at", "requirements_id", "resume_id"), _EARLIER)},
    {_taken(NO_RESULT, _RESULT_WINS)},
    {_taken(NO_REQUEST, _REQUEST_WINS)}
WHERE {_EARLIER} OR ({_RESULT_WINS}) OR ({_REQUEST_WINS})
"""  # noqa: S608  built of constants alone

_JOINS = {
    kind: _JOINED.format(kind=kind, columns=columns.format(kind=kind), upsert=upsert)
    for kind, columns, upsert in (
        ("resume", _TEXT_COLUMNS, _TEXTS.format(kind="resume", wins=_TEXT_WINS)),
        ("requirements", _TEXT_COLUMNS, _TEXTS.format(kind="requirements", wins=_TEXT_WINS)),
        ("processing", _PROCESSING_COLUMNS, _PROCESSINGS),
    )
}

TOMBSTONES = """
INSERT INTO storage_tombstone (kind, target_id, user_id)
SELECT * FROM json_to_recordset(%s) AS e(kind text, target_id bigint, user_id bigint)
ON CONFLICT DO NOTHING
"""

_BURY_TEXTS = """
UPDATE storage_stored{kind} AS s
SET deleted = TRUE, {kind} = '', text_at = NULL, text_hash = ''
FROM json_to_recordset(%s) AS e(kind text, target_id bigint, user_id bigint)
WHERE e.kind = '{kind}' AND s.{kind}_id = e.target_id AND s.user_id = e.user_id
  AND NOT s.deleted
RETURNING s.{kind}_id
"""
BURY_RESUMES = _BURY_TEXTS.format(kind="resume")
BURY_REQUIREMENTS = _BURY_TEXTS.format(kind="requirements")

BURY_PROCESSINGS = """
UPDATE storage_storedprocessing AS s
SET status = 'deleted', run = NULL, result_at = NULL, result_hash = '', score = NULL,
    verdict = NULL, matches = NULL, recommendation = NULL, details = NULL, message_error = NULL,
    wait_seconds = NULL, requested_run = NULL, requested_at = NULL, callback_url = ''
FROM json_to_recordset(%s) AS e(kind text, target_id bigint, user_id bigint)
WHERE s.user_id = e.user_id AND s.status <> 'deleted'
  AND e.target_id = CASE e.kind WHEN 'processing' THEN s.processing_id
                                WHEN 'requirements' THEN s.requirements_id END
RETURNING s.processing_id
"""

# Deletes hold a user's bucket alone, everything else shares it. In one round trip: the second
# statement sees the tombstones that were set while the first waited.
_LOCK_AND_FIND = """
SELECT CASE WHEN alone THEN pg_advisory_xact_lock(%(class)s, bucket)
                       ELSE pg_advisory_xact_lock_shared(%(class)s, bucket) END
FROM unnest(%(buckets)s::int[], %(alone)s::boolean[]) AS wanted(bucket, alone);
SELECT t.kind, t.target_id, t.user_id FROM storage_tombstone AS t
JOIN json_to_recordset(%(graves)s::json) AS e(kind text, target_id bigint, user_id bigint)
    USING (kind, target_id, user_id)
"""

_CLAIMS = """
SELECT {id}, user_id FROM (
    SELECT {id}, user_id, count(*) OVER (PARTITION BY {id}) AS claims,
           row_number() OVER (PARTITION BY {id} ORDER BY create_at, user_id) AS place
    FROM storage_stored{kind} WHERE {id} = ANY(%s)
) AS claim WHERE claims > 1 AND place = 1
"""
_EVICT = """
DELETE FROM storage_stored{kind} AS claim
USING unnest(%s::bigint[], %s::bigint[]) AS owner (id, user_id)
WHERE claim.{id} = owner.id AND claim.user_id <> owner.user_id
"""


def run(statement: str, rows: Sequence[Row]) -> list[int]:
    """Run one of the statements above on all rows at once; returns the ids that changed."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [_as_json(rows)])
        return [id_ for (id_,) in cursor.fetchall()] if cursor.description else []


@dataclass(frozen=True)
class Joined:
    changed: list[int]
    is_contested: bool
    """Whether several users claim one of the ids."""


def join(kind: str, rows: Sequence[Row]) -> Joined:
    """Store the rows of a kind, which may be resume, requirements or processing."""
    ids = {row[f"{kind}_id"] for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(_JOINS[kind], {"rows": _as_json(rows)})
        changed, is_claimed_before = cursor.fetchone()
    return Joined(changed, is_claimed_before or len(ids) < len(rows))


def lock_and_find(
    exclusive: Mapping[int, bool], graves: Iterable[Grave], *, lock_class: int
) -> set[Grave]:
    """Lock the buckets, each alone or shared; returns those of the tombstones that exist."""
    buckets = sorted(exclusive)
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK_AND_FIND,
            {
                "class": lock_class,
                "buckets": buckets,
                "alone": [exclusive[bucket] for bucket in buckets],
                "graves": _as_json([vars(grave) for grave in graves]),
            },
        )
        return {Grave(*row) for row in cursor.fetchall()}


def owners(kind: str, ids: Iterable[int]) -> dict[int, int]:
    """The owner of each of the ids that several users claim."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS.format(id=f"{kind}_id", kind=kind), [list(ids)])
        return dict(cursor.fetchall())


def evict(kind: str, owners: Mapping[int, int]) -> None:
    """Take the rows away by which others than the owners claim these ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EVICT.format(id=f"{kind}_id", kind=kind), [list(owners), list(owners.values())]
        )


def _as_json(rows: Sequence[Row]) -> str:
    """Moments in ISO 8601. A third of what the standard library takes for a batch of texts."""
    return to_json(rows).decode()

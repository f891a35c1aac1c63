"""The one outcome of a run: written by whoever comes first, unless its owner deleted it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.ai import ledger, tombstones
from kafka_bridge.events import NewRequest
from resume_platform.postgresql_pool.prepared import Statement

# In one round trip; the second statement sees what was committed while the first waited. The lock
# holds until the transaction ends: judgements of one user pass together, a deletion alone. Without
# it a deletion could commit between a judgement's look and its commit.
_SETTLE = Statement(
    "settle",
    f"""
WITH standing AS (
    SELECT {tombstones.IS_BURIED} AS is_deleted,
           (SELECT user_id FROM ai_analysis
            WHERE processing_id = %(processing)s AND run = %(run)s) AS owner
), spent AS (
    {ledger.SPENT}
), written AS (
    INSERT INTO ai_analysis (
        processing_id, run, user_id, requirements_id, status, resume_hash, requirements_hash,
        rubric_id, prompt_version, model, result, score, verdict, error_code, wait_seconds,
        reused_from, flags, input_tokens, output_tokens, latency_ms, cost, created_at)
    SELECT %(processing)s, %(run)s, %(user)s, %(requirements)s, %(status)s, %(resume_hash)s,
           %(requirements_hash)s, %(rubric_id)s, %(prompt_version)s, %(model)s, %(result)s,
           %(score)s, %(verdict)s, %(error_code)s, %(wait_seconds)s, %(reused_from)s, %(flags)s,
           spent.input_tokens, spent.output_tokens, spent.latency_ms, spent.cost, clock_timestamp()
    FROM standing, spent WHERE NOT is_deleted AND owner IS NULL
    ON CONFLICT (processing_id, run) DO NOTHING
    RETURNING latency_ms
)
SELECT is_deleted, owner, latency_ms FROM standing LEFT JOIN written ON TRUE
""",  # noqa: S608  built of constants alone
    first="SELECT pg_advisory_xact_lock_shared(hashtextextended(%(lock)s, 0))",
)
_EMPTY = {
    "resume_hash": "",
    "requirements_hash": "",
    "rubric_id": None,
    "result": None,
    "score": None,
    "verdict": "",
    "error_code": "",
    "wait_seconds": None,
    "reused_from": None,
    "flags": 0,
}


@dataclass(frozen=True)
class Settled:
    """`owner`: whose outcome the run had before; `latency_ms`: the model's, None if not written."""

    is_deleted: bool
    owner: int | None
    latency_ms: int | None

    @property
    def is_written(self) -> bool:
        return self.latency_ms is not None

    @property
    def is_beside(self) -> bool:
        """Whether another outcome of the run committed in this very moment."""
        return not (self.is_written or self.is_deleted) and self.owner is None


def settle(event: NewRequest, values: Mapping[str, Any]) -> Settled:
    """Write the outcome with all that the run has cost. Needs a transaction; tells nobody."""
    result = values.get("result")
    with connection.cursor() as cursor:
        _SETTLE.execute(
            cursor,
            {
                **_EMPTY,
                **values,
                **tombstones.parameters(event),
                "result": None if result is None else json.dumps(result, ensure_ascii=False),
                "lock": tombstones.lock_name(event.user_id),
            },
        )
        return Settled(*cursor.fetchone())

"""What is known of a request before anybody is asked, in one round trip."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.ai import tombstones
from apps.ai.rubrics import FrozenRubric, frozen
from kafka_bridge.events import NewRequest
from resume_platform.postgresql_pool.prepared import Statement

# An outcome of the run that is a stranger's is not this user's. A later run asks anew on purpose.
_LOOK = Statement(
    "look",
    f"""
SELECT EXISTS (SELECT 1 FROM ai_analysis
               WHERE processing_id = %(processing)s AND run = %(run)s AND user_id = %(user)s),
       {tombstones.IS_BURIED},
       rubric.id, rubric.criteria, rubric.language,
       earlier.id, earlier.score, earlier.verdict, earlier.result
FROM (VALUES (%(key)s::text)) AS wanted (key)
LEFT JOIN ai_rubric AS rubric ON rubric.key = wanted.key AND rubric.criteria IS NOT NULL
LEFT JOIN LATERAL (
    SELECT id, score, verdict, result FROM ai_analysis
    WHERE user_id = %(user)s AND rubric_id = rubric.id AND resume_hash = %(resume_hash)s
      AND status = 'finished' AND %(run)s = 0
    ORDER BY id LIMIT 1
) AS earlier ON TRUE
""",  # noqa: S608  built of constants alone
)


@dataclass(frozen=True)
class Earlier:
    """The same user's judgement of the same texts."""

    id: int
    score: int
    verdict: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Known:
    is_settled: bool
    is_deleted: bool
    rubric: FrozenRubric | None
    earlier: Earlier | None


def look(event: NewRequest, *, rubric_key: str, resume_hash: str) -> Known:
    """Whether the run is settled or deleted, its frozen rubric, and a judgement to be reused."""
    with connection.cursor() as cursor:
        _LOOK.execute(
            cursor,
            {
                **tombstones.parameters(event),
                "key": rubric_key,
                "resume_hash": resume_hash,
            },
        )
        is_settled, is_deleted, *rubric, id_, score, verdict, result = cursor.fetchone()
    return Known(
        is_settled=is_settled,
        is_deleted=is_deleted,
        rubric=frozen(rubric[0], json.loads(rubric[1]), rubric[2]) if rubric[0] else None,
        earlier=Earlier(id_, score, verdict, json.loads(result)) if id_ else None,
    )

"""Looks up what is known of a request before anybody is asked, in one round trip."""

import json
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from apps.ai import tombstones
from apps.ai.content_hash import key_of
from apps.ai.pipeline.outcome import Outcome
from apps.ai.rubric import store
from kafka_bridge.contract.events import NewRequest

# An outcome of the run that is a stranger's is not this user's. A later run asks anew on purpose.
_LOOK_UP = f"""
SELECT EXISTS (SELECT 1 FROM ai_analysis
               WHERE processing_id = %(processing)s AND run = %(run)s AND user_id = %(user)s),
       {tombstones.HAS_TOMBSTONE},
       rubric.id, rubric.criteria, rubric.language,
       reused.id, reused.score, reused.verdict, reused.result
FROM (VALUES (%(key)s::text)) AS wanted (key)
LEFT JOIN ai_rubric AS rubric ON rubric.key = wanted.key AND rubric.criteria IS NOT NULL
LEFT JOIN LATERAL (
    SELECT id, score, verdict, result FROM ai_analysis
    WHERE user_id = %(user)s AND rubric_id = rubric.id AND resume_hash = %(resume_hash)s
      AND status = 'finished' AND %(run)s = 0
    ORDER BY id LIMIT 1
) AS reused ON TRUE
"""  # noqa: S608  built of constants alone


@dataclass(frozen=True)
class Known:
    is_settled: bool
    is_deleted: bool
    rubric: store.FrozenRubric | None
    outcome: Outcome | None
    """The same user's judgement of the same texts."""


def look_up(event: NewRequest, *, model: str) -> Known:
    """Whether the run is settled or deleted, its frozen rubric, and a judgement to be reused."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK_UP,
            {
                **tombstones.parameters(event),
                "key": store.key(event.requirements, model),
                "resume_hash": resume_hash(event),
            },
        )
        is_settled, is_deleted, *rubric, id_, score, verdict, result = cursor.fetchone()
    return Known(
        is_settled=is_settled,
        is_deleted=is_deleted,
        rubric=store.frozen(rubric[0], json.loads(rubric[1]), rubric[2]) if rubric[0] else None,
        outcome=Outcome(score, verdict, json.loads(result), reused_from=id_) if id_ else None,
    )


def resume_hash(event: NewRequest) -> str:
    """Of the text, and of the settings without which its judgement would be another."""
    return key_of(event.resume, str(settings.AI_REDACTION), str(settings.AI_SUITABLE_SCORE))

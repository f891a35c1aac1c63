"""Registers what the AI app holds of a user's texts: judgements with their quotes, and rubrics.

Tokens, cost, times and scores stay, in the analyses and in the usage ledger.
"""

from kafka_bridge.erasure.erase_user import register_personal_data
from kafka_bridge.erasure.personal_data import PersonalData

# The words of a rubric are the requirements'; those of several users are the others' as well.
_OF_USER = """
(t.user_id = %(user)s OR t.id IN (
    SELECT rubric_id FROM ai_analysis WHERE user_id = %(user)s AND rubric_id IS NOT NULL
)) AND NOT EXISTS (
    SELECT 1 FROM ai_analysis AS a
    WHERE a.rubric_id = t.id AND a.user_id <> %(user)s AND a.status = 'finished'
)
"""
_UNUSED = """
t.created_at < %(before)s AND NOT EXISTS (
    SELECT 1 FROM ai_analysis AS a WHERE a.rubric_id = t.id AND a.created_at >= %(before)s
)
"""

register_personal_data(
    "ai",
    PersonalData(
        name="ai.analyses",
        table="ai_analysis",
        has_text="t.status = 'finished' OR t.result IS NOT NULL OR t.verdict <> ''"
        " OR t.resume_hash <> '' OR t.requirements_hash <> ''",
        without_text="status = CASE status WHEN 'finished' THEN 'forgotten' ELSE status END,"
        " result = NULL, verdict = '', resume_hash = '', requirements_hash = ''",
        unused="t.created_at < %(before)s",
    ),
    PersonalData(
        name="ai.rubrics",
        table="ai_rubric",
        has_text="t.criteria IS NOT NULL",
        # Under another key, so that the same requirements get a rubric of their own again.
        without_text="criteria = NULL, claimed_until = NULL, requirements_hash = '',"
        " key = 'erased-' || id",
        of_user=_OF_USER,
        unused=_UNUSED,
    ),
)

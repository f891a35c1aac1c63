"""What storage holds of a user's texts. Scores, states and times stay: they are figures."""

from kafka_bridge.erasure.erase_user import register_personal_data
from kafka_bridge.erasure.personal_data import PersonalData, RedisCopies

# A text is as old as the last processing that refers to it.
_UNUSED = """
t.create_at < %(before)s AND NOT EXISTS (
    SELECT 1 FROM storage_storedprocessing AS p
    WHERE p.user_id = t.user_id AND p.{kind}_id = t.{kind}_id
      AND (p.create_at >= %(before)s OR p.status = 'queued')
)
"""


def _texts(kind: str, name: str) -> PersonalData:
    return PersonalData(
        name=f"storage.{name}",
        table=f"storage_stored{kind}",
        has_text=f"t.{kind} <> '' OR t.text_hash <> ''",
        # As what its owner deleted: no later event brings the text back.
        without_text=f"deleted = TRUE, {kind} = '', text_at = NULL, text_hash = ''",
        unused=_UNUSED.format(kind=kind),
        copies=RedisCopies("storage", kind, id=f"{kind}_id"),
    )


register_personal_data(
    "storage",
    PersonalData(
        name="storage.users",
        table="storage_storeduser",
        key="user_id",
        has_text="t.username <> '' OR t.full_name IS NOT NULL",
        without_text="username = '', full_name = NULL",
        copies=RedisCopies("storage", "user", id="user_id"),
    ),
    _texts("resume", "resumes"),
    _texts("requirements", "requirements"),
    PersonalData(
        name="storage.processings",
        table="storage_storedprocessing",
        has_text="t.status = 'queued' OR t.callback_url <> '' OR t.verdict <> '' OR"
        " t.recommendation <> '' OR t.matches <> '[]' OR t.details IS NOT NULL"
        " OR t.message_error <> ''",
        # Without texts no request can be made again, so what waits has ended.
        without_text="status = CASE status WHEN 'queued' THEN 'deleted' ELSE status END,"
        " callback_url = '', verdict = CASE WHEN verdict IS NOT NULL THEN '' END,"
        " recommendation = CASE WHEN recommendation IS NOT NULL THEN '' END,"
        " matches = CASE WHEN matches IS NOT NULL THEN '[]'::jsonb END, details = NULL,"
        " message_error = CASE WHEN message_error IS NOT NULL THEN '' END",
        unused="t.create_at < %(before)s AND t.status <> 'queued'",
        copies=RedisCopies("storage", "processing", id="processing_id"),
    ),
)

"""What uploads holds of a user's texts: resumes, requirements, and where to call back."""

from kafka_bridge.erasure.erase_user import register_personal_data
from kafka_bridge.erasure.personal_data import PersonalData, RedisCopies

# A text is as old as the last processing that was started with it.
_UNUSED = """
t.created_at < %(before)s AND NOT EXISTS (
    SELECT 1 FROM uploads_processing AS p WHERE p.{kind}_id = t.id AND p.created_at >= %(before)s
)
"""

register_personal_data(
    "uploads",
    PersonalData(
        name="uploads.resumes",
        table="uploads_resume",
        has_text="t.text <> '' OR t.flags <> '[]'",
        without_text="text = '', flags = '[]',"
        " deleted_at = coalesce(deleted_at, clock_timestamp())",
        unused=_UNUSED.format(kind="resume"),
        copies=RedisCopies("uploads", "resume"),
    ),
    PersonalData(
        name="uploads.requirements",
        table="uploads_requirements",
        has_text="t.text <> ''",
        without_text="text = '', deleted_at = coalesce(deleted_at, clock_timestamp())",
        unused=_UNUSED.format(kind="requirements"),
        copies=RedisCopies("uploads", "requirements"),
    ),
    PersonalData(
        name="uploads.callback_urls",
        table="uploads_processing",
        has_text="t.callback_url <> ''",
        without_text="callback_url = ''",
        unused="t.created_at < %(before)s",
    ),
)

"""What uploads holds of a user's texts: resumes, requirements, and where to call back."""

from kafka_bridge.erasure import erases
from kafka_bridge.texts import Copies, Texts

# A text is as old as the last processing that was started with it.
_UNUSED = """
t.created_at < %(before)s AND NOT EXISTS (
    SELECT 1 FROM uploads_processing AS p WHERE p.{kind}_id = t.id AND p.created_at >= %(before)s
)
"""

erases(
    "uploads",
    Texts(
        name="uploads.resumes",
        table="uploads_resume",
        holds="t.text <> '' OR t.flags <> '[]'",
        emptied="text = '', flags = '[]', deleted_at = coalesce(deleted_at, clock_timestamp())",
        unused=_UNUSED.format(kind="resume"),
        copies=Copies("uploads", "resume"),
    ),
    Texts(
        name="uploads.requirements",
        table="uploads_requirements",
        holds="t.text <> ''",
        emptied="text = '', deleted_at = coalesce(deleted_at, clock_timestamp())",
        unused=_UNUSED.format(kind="requirements"),
        copies=Copies("uploads", "requirements"),
    ),
    Texts(
        name="uploads.callback_urls",
        table="uploads_processing",
        holds="t.callback_url <> ''",
        emptied="callback_url = ''",
        unused="t.created_at < %(before)s",
    ),
)

"""The texts of resumes and requirements in Redis, so that a start need not read them again.

An entry holds the text with its owner's id and the row's creation time. The row decides who owns
it and whether it exists; the time tells an entry of another database's row with the same id.
"""

from apps.uploads.models import Requirements, Resume
from resume_platform.caching import cache_for

RESUME_SECONDS = 60 * 60
REQUIREMENTS_SECONDS = 3 * 24 * 60 * 60

Row = Resume | Requirements


def remember(row: Row) -> None:
    """To be called once the row is committed."""
    ttl = RESUME_SECONDS if isinstance(row, Resume) else REQUIREMENTS_SECONDS
    entry = {"user_id": row.user_id, "created_at": row.created_at.isoformat(), "text": row.text}
    cache_for("uploads").set(_key(row), entry, ttl)


def forget(*rows: Row) -> None:
    cache_for("uploads").delete(*map(_key, rows))


def load(resume: Resume, requirements: Requirements) -> tuple[str, str]:
    """Both texts; of rows whose `text` is deferred, those that Redis lacks are read."""
    entries = cache_for("uploads").get_many([_key(resume), _key(requirements)])
    return _text(resume, entries), _text(requirements, entries)


def _text(row: Row, entries: dict[str, dict[str, str | int]]) -> str:
    entry = entries.get(_key(row))
    if (
        entry is not None
        and entry["user_id"] == row.user_id
        and entry["created_at"] == row.created_at.isoformat()
    ):
        return str(entry["text"])
    return row.text


def _key(row: Row) -> str:
    kind = "resume" if isinstance(row, Resume) else "requirements"
    return f"{kind}:{row.id}"

"""The texts of resumes and requirements in Redis, for neighbours that look for them there.

The contract names the keys. We read a text from its row, which is asked for its owner anyway.
"""

from apps.uploads.models import Requirements, Resume
from resume_platform.redis.cache import cache_for

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


def _key(row: Row) -> str:
    kind = "resume" if isinstance(row, Resume) else "requirements"
    return f"{kind}:{row.id}"

"""The statements behind the requests that come most often, each one round trip.

Written in SQL: to put one together from a model takes several times as long as to run it.
"""

import json
from typing import Any

from django.db import connection

from apps.uploads.models import Processing, Requirements, Resume

_INSERT_RESUME = """
INSERT INTO uploads_resume (user_id, text, flags, created_at) VALUES (%s, %s, %s, %s) RETURNING id
"""
_INSERT_REQUIREMENTS = """
INSERT INTO uploads_requirements (user_id, text, created_at) VALUES (%s, %s, %s) RETURNING id
"""
_INSERT_PROCESSING = """
INSERT INTO uploads_processing (user_id, resume_id, requirements_id, callback_url, created_at)
VALUES (%s, %s, %s, %s, %s) RETURNING id
"""
# Shared among starts; a deletion waits for them, and they for it. The resume's lock is taken first:
# the requirements' comes when the join is made.
_LOCK_FOR_START = """
WITH resume AS MATERIALIZED (
    SELECT id, user_id, created_at FROM uploads_resume
    WHERE id = %(resume)s AND user_id = %(user)s AND deleted_at IS NULL FOR SHARE
)
SELECT resume.*, requirements.id, requirements.user_id, requirements.created_at
FROM resume, uploads_requirements AS requirements
WHERE requirements.id = %(requirements)s AND requirements.user_id = %(user)s
    AND requirements.deleted_at IS NULL
FOR SHARE OF requirements
"""
_COLUMNS = ("id", "user_id", "created_at")


def insert_resume(row: Resume) -> None:
    """Gives `row` its id; so do the others."""
    values = [row.user_id, row.text, json.dumps(row.flags), row.created_at]
    [row.id] = _one(_INSERT_RESUME, values)


def insert_requirements(row: Requirements) -> None:
    [row.id] = _one(_INSERT_REQUIREMENTS, [row.user_id, row.text, row.created_at])


def insert_processing(row: Processing) -> None:
    values = [row.user_id, row.resume_id, row.requirements_id, row.callback_url, row.created_at]
    [row.id] = _one(_INSERT_PROCESSING, values)


def lock_for_start(
    *, user_id: int, resume_id: int, requirements_id: int
) -> tuple[Resume, Requirements] | None:
    """Both rows without their texts, if they are the user's and there. Needs a transaction."""
    ids = {"user": user_id, "resume": resume_id, "requirements": requirements_id}
    found = _one(_LOCK_FOR_START, ids)
    if found is None:
        return None
    return (
        Resume.from_db(connection.alias, _COLUMNS, found[:3]),
        Requirements.from_db(connection.alias, _COLUMNS, found[3:]),
    )


def _one(sql: str, values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()

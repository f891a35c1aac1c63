"""Floor: the same rows put into a table of the same shape, by nothing but bulk inserts."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

BATCH = 500


def insert_resumes(database_url: str, events: Iterable[dict[str, Any]]) -> float:
    """Seconds, with a commit per batch; the table is gone afterwards."""
    now = datetime.now(UTC)
    rows = [
        (event["resume_id"], event["user_id"], now, now, "0" * 64, False, event["resume"])
        for event in events
    ]
    database = psycopg2.connect(database_url)
    try:
        with database, database.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_floor (LIKE storage_storedresume INCLUDING ALL)")
        began = time.perf_counter()
        for start in range(0, len(rows), BATCH):
            with database, database.cursor() as cursor:
                execute_values(
                    cursor,
                    "INSERT INTO bench_floor (resume_id, user_id, create_at, text_at, text_hash,"
                    " deleted, resume) VALUES %s",
                    rows[start : start + BATCH],
                    page_size=BATCH,
                )
        return time.perf_counter() - began
    finally:
        with database, database.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_floor")
        database.close()

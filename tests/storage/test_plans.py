"""What is stored already must not make a batch slower, also before anybody counted the rows."""

import pytest
from django.db import connection, transaction

from apps.storage import projections
from tests.storage import factories as f

STORED = 50_000


def tables_read_whole() -> set[str]:
    """By this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_a_batch_reads_the_rows_of_its_ids_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_storedresume"
            " (resume_id, user_id, create_at, resume, text_hash, deleted)"
            " SELECT 10^6 + n, mod(n, 500), now(), repeat('Python ', 100), '', FALSE"
            " FROM generate_series(1, %s) AS n",
            [STORED],
        )
    batch = [
        f.received(f.NewResumeFactory(resume_id=id_, user_id=id_ % 7 + 1)) for id_ in range(1, 201)
    ]
    for _ in range(5):  # from the fourth on its statement is prepared
        with transaction.atomic():
            projections.apply(batch)
            assert "storage_storedresume" not in tables_read_whole()

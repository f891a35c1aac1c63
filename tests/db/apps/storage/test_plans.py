"""What is stored already must not make a batch slower, also before anybody counted the rows."""

import pytest
from django.db import connection

from apps.storage.projection import projector
from tests.db.apps.storage import factories as f
from tests.support.whole_reads import without_reading_whole

STORED = 50_000


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
        with without_reading_whole("storage_storedresume"):
            projector.apply(batch)

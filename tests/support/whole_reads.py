"""Which tables PostgreSQL read from end to end."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def without_reading_whole(table: str) -> Iterator[None]:
    """One transaction, none of whose statements may scan the table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # what was read before does not count
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
            assert table not in {name for (name,) in cursor.fetchall()}

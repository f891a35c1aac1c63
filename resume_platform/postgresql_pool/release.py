"""What work calls before it waits for somebody else."""

from django.conf import settings
from django.db import connection


def release_connection() -> None:
    """Give this thread's connection back until the next query; without a pool it is kept."""
    if settings.DATABASE_POOL_SIZE and not connection.in_atomic_block:
        connection.close()

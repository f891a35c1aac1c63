"""A batch of events applied to storage's tables in the caller's transaction: all or nothing."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from apps.storage import cache, reduction, upserts
from apps.storage.reduction import Row
from kafka_bridge.events import DeleteProcessing, DeleteRequirements, Event
from kafka_bridge.tasks import Permanent, Received

# The class of storage's advisory locks: "stor" in ASCII.
LOCK_CLASS = 0x73746F72
LOCK_BUCKETS = 1024


def apply(batch: Sequence[Received]) -> None:
    """Join the events with what is stored, whatever their order and however often they come.

    Raises Permanent if an event claims an id that is another user's.
    """
    _lock_users([received.event for received in batch])
    changed = _bury(batch)
    dead = upserts.standing(reduction.graves_over(batch))

    resumes = reduction.resumes(batch, dead)
    requirements = reduction.requirements(batch, dead)
    processings = reduction.processings(batch, dead)
    upserts.run(upserts.USERS, reduction.users(batch))
    changed |= cache.keys("resume", upserts.run(upserts.RESUMES, resumes))
    changed |= cache.keys("requirements", upserts.run(upserts.REQUIREMENTS, requirements))
    changed |= cache.keys("processing", upserts.run(upserts.PROCESSINGS, processings))

    _refuse_strangers("resume", resumes, id_name="id")
    _refuse_strangers("requirements", requirements, id_name="id")
    _refuse_strangers("processing", processings, id_name="processing_id")
    if changed:
        transaction.on_commit(lambda: cache.drop(changed))


def _bury(batch: Sequence[Received]) -> set[str]:
    """Store the batch's tombstones and strip what they hide; returns the cache keys of that."""
    graves = [
        vars(grave)
        for grave in sorted(reduction.graves(batch), key=lambda it: tuple(vars(it).values()))
    ]
    upserts.run(upserts.TOMBSTONES, graves)
    return (
        cache.keys("resume", upserts.run(upserts.BURY_RESUMES, graves))
        | cache.keys("requirements", upserts.run(upserts.BURY_REQUIREMENTS, graves))
        | cache.keys("processing", upserts.run(upserts.BURY_PROCESSINGS, graves))
    )


def _refuse_strangers(kind: str, rows: Sequence[Row], *, id_name: str) -> None:
    owners = upserts.contested(kind, [row[id_name] for row in rows]) if rows else {}
    if any(owners.get(row[id_name], row["user_id"]) != row["user_id"] for row in rows):
        raise Permanent("owner_conflict")


def _lock_users(events: Iterable[Event]) -> None:
    """Let a user's deletes run alone and everything else of that user side by side.

    Otherwise a delete and an upsert that commit at the same moment would not see one another, and
    the deleted text would stay. Buckets bound the locks of a batch; in order, so no deadlocks.
    """
    exclusive: dict[int, bool] = {}
    for event in events:
        bucket = event.partition_key() % LOCK_BUCKETS
        deletes = isinstance(event, DeleteProcessing | DeleteRequirements)
        exclusive[bucket] = exclusive.get(bucket, False) or deletes
    buckets = sorted(exclusive)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN alone THEN pg_advisory_xact_lock(%s, bucket)
                                   ELSE pg_advisory_xact_lock_shared(%s, bucket) END
            FROM unnest(%s::int[], %s::boolean[]) AS wanted(bucket, alone)
            """,
            [LOCK_CLASS, LOCK_CLASS, buckets, [exclusive[bucket] for bucket in buckets]],
        )

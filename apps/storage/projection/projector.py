"""A batch of events applied to storage's tables in the caller's transaction: all or nothing."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from apps.storage.projection import batch_merge, upserts
from apps.storage.projection.batch_merge import Grave, Row
from apps.storage.reads import cache
from kafka_bridge.contract import issuers
from kafka_bridge.contract.events import DeleteProcessing, DeleteRequirements, Event
from kafka_bridge.tasks import Permanent, Received

# The class of storage's advisory locks: "stor" in ASCII.
LOCK_CLASS = 0x73746F72
LOCK_BUCKETS = 1024


def apply(batch: Sequence[Received]) -> None:
    """Join the events with what is stored, whatever their order and however often they come.

    Raises Permanent if an event claims an id that is another user's.
    """
    graves = batch_merge.graves(batch)
    standing = upserts.lock_and_find(
        _buckets([received.event for received in batch]),
        batch_merge.graves_over(batch),
        lock_class=LOCK_CLASS,
    )
    dead = standing | graves
    changed = _bury(graves) if graves else set()
    upserts.run(upserts.USERS, batch_merge.users(batch))
    for kind in batch_merge.TEXTS:
        changed |= _join(kind, batch_merge.texts(kind, batch, dead))
    changed |= _join("processing", batch_merge.processings(batch, dead))
    if changed:
        transaction.on_commit(lambda: cache.drop(changed))


def _bury(graves: Iterable[Grave]) -> set[str]:
    """Store the batch's tombstones and strip what they hide; returns the cache keys of that."""
    rows = [vars(grave) for grave in sorted(graves, key=lambda it: tuple(vars(it).values()))]
    upserts.run(upserts.TOMBSTONES, rows)
    return (
        cache.keys("resume", upserts.run(upserts.BURY_RESUMES, rows))
        | cache.keys("requirements", upserts.run(upserts.BURY_REQUIREMENTS, rows))
        | cache.keys("processing", upserts.run(upserts.BURY_PROCESSINGS, rows))
    )


def _join(kind: str, rows: Sequence[Row]) -> set[str]:
    """Store the rows; returns the cache keys of what changed.

    Raises Permanent if one claims an id that is another user's.
    """
    if not rows:
        return set()
    joined = upserts.join(kind, rows)
    if joined.is_contested:
        _settle(kind, {row[f"{kind}_id"]: row["user_id"] for row in rows})
    return cache.keys(kind, joined.changed)


def _settle(kind: str, claims: dict[int, int]) -> None:
    """An id that was issued here belongs to whom its issuer says, else to who claimed it first."""
    issued = issuers.owners((kind, id_) for id_ in claims)
    told = {id_: user_id for (_, id_), user_id in issued.items()}
    upserts.evict(kind, told)
    owners = upserts.owners(kind, claims) | told
    if any(owners.get(id_, user_id) != user_id for id_, user_id in claims.items()):
        raise Permanent("owner_conflict")


def _buckets(events: Iterable[Event]) -> dict[int, bool]:
    """The locks that the events need, and whether alone.

    A user's deletes run alone, everything else of that user side by side. Otherwise a delete and an
    upsert that commit at the same moment would not see one another, and the deleted text would
    stay. Buckets bound the locks of a batch.
    """
    exclusive: dict[int, bool] = {}
    for event in events:
        bucket = event.partition_key() % LOCK_BUCKETS
        deletes = isinstance(event, DeleteProcessing | DeleteRequirements)
        exclusive[bucket] = exclusive.get(bucket, False) or deletes
    return exclusive

"""Whose callback it is: registered, claimed by the first outcome of a run, or cancelled.

Each takes the user's lock first, so that a delete and an outcome that come together see one
another: deletes hold it alone, outcomes and requests share it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from apps.notifications.delivery import payloads
from apps.notifications.delivery.payloads import Payload
from apps.notifications.models import Callback, CallbackAttempt, Tombstone
from kafka_bridge.contract import erased_users, issuers
from kafka_bridge.contract.events import NewRequest, ResultEvent, SendingResponse
from kafka_bridge.tasks import Permanent

# The class of this app's advisory locks: "noti" in ASCII.
LOCK_CLASS = 0x6E6F7469
State = Callback.State


# Of what its owner did not delete; what is registered already stays as it is. The second statement
# sees what was committed while the first waited for a delete of the user's. Owners are looked up
# row by row: for a join, and without statistics, the planner reads the whole table.
_REGISTER = """
SELECT pg_advisory_xact_lock_shared(%(class)s, place) FROM unnest(%(places)s::int[]) AS place;
WITH wanted AS (
    SELECT * FROM unnest(%(processings)s::bigint[], %(runs)s::int[], %(users)s::bigint[],
                         %(requirements)s::bigint[], %(urls)s::text[])
        AS row(processing_id, run, user_id, requirements_id, callback_url)
), registered AS (
    INSERT INTO notifications_callback
        (processing_id, run, user_id, requirements_id, callback_url, state, webhook_id, body,
         headers, attempts, last_error, created_at, updated_at)
    SELECT wanted.*, 'registered', '', '', '{}', 0, '', clock_timestamp(), clock_timestamp()
    FROM wanted
    WHERE NOT EXISTS (
              SELECT 1 FROM notifications_tombstone AS tombstone
              WHERE tombstone.user_id = wanted.user_id
                AND ((tombstone.kind = 'processing' AND tombstone.target_id = wanted.processing_id)
                     OR (tombstone.kind = 'requirements'
                         AND tombstone.target_id = wanted.requirements_id)))
    ORDER BY wanted.processing_id, wanted.run
    ON CONFLICT (processing_id, run) DO NOTHING
    RETURNING processing_id, run, user_id
)
SELECT EXISTS (
    SELECT 1 FROM wanted, LATERAL (
        SELECT user_id FROM registered AS there
        WHERE (there.processing_id, there.run) = (wanted.processing_id, wanted.run)
        UNION ALL
        SELECT user_id FROM notifications_callback AS there
        WHERE there.processing_id = wanted.processing_id AND there.run = wanted.run
        LIMIT 1
    ) AS there
    WHERE there.user_id <> wanted.user_id)
"""


def register(events: Sequence[NewRequest]) -> None:
    """Note that callbacks will be owed, in the caller's transaction.

    Permanent: a processing is another user's.
    """
    erased = erased_users.among(event.user_id for event in events)
    events = [event for event in events if event.user_id not in erased]
    processings = [event.processing_id for event in events]
    is_contested = _register(events)
    if is_contested and _evict_strangers(processings):
        is_contested = _register(events)
    if is_contested:
        raise Permanent("owner_conflict")


def _register(events: Sequence[NewRequest]) -> bool:
    """Whether one of the processings is another user's here."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REGISTER,
            {
                "class": LOCK_CLASS,
                "places": sorted({_place(event.user_id) for event in events}),
                "processings": [event.processing_id for event in events],
                "runs": [event.run for event in events],
                "users": [event.user_id for event in events],
                "requirements": [event.requirements_id for event in events],
                "urls": [event.callback_url for event in events],
            },
        )
        return bool(cursor.fetchone()[0])


def _evict_strangers(processing_ids: Iterable[int]) -> bool:
    """Take away what others than the owners registered, of processings that were issued here.

    Whether there was anything.
    """
    owners = issuers.owners(("processing", id_) for id_ in processing_ids)
    evicted = 0
    for (_kind, id_), user_id in owners.items():
        evicted += Callback.objects.filter(processing_id=id_).exclude(user_id=user_id).delete()[0]
    return evicted > 0


@dataclass(frozen=True)
class Owed:
    """A callback that is to be made now."""

    callback_id: int
    url: str
    webhook_id: str
    body: bytes
    headers: dict[str, str]


def claim(outcome: ResultEvent, *, message_id: int, occurred_at: datetime) -> Owed | None:
    """The callback to make for this message, or None if there is nothing (more) to do.

    The first message of a run takes it by compare-and-set and keeps it over retries; a replay of
    its dead letter opens it again. An outcome that comes after a later run's is called off.
    Permanent: the processing is another user's.
    """
    payload = payloads.build(outcome, occurred_at)
    owed = _take(outcome, payload, message_id)
    if owed is None and _evict_strangers([outcome.response.processing_id]):
        owed = _take(outcome, payload, message_id)
    if owed is None:
        _close(outcome)
    return owed


# One round trip; the second statement sees what was committed while the first waited for a delete
# of the user's. What an earlier attempt sent is kept. A later run's outcome calls off only what no
# message has taken.
_TAKE = """
SELECT pg_advisory_xact_lock_shared(%(class)s, %(place)s);
INSERT INTO notifications_callback AS callback
    (processing_id, run, user_id, requirements_id, callback_url, state, message_id, webhook_id,
     body, headers, attempts, last_error, created_at, updated_at)
SELECT %(processing)s, %(run)s, %(user)s, %(requirements)s, %(url)s, 'pending', %(message)s,
       %(webhook)s, %(body)s, %(headers)s::jsonb, 0, '', clock_timestamp(), clock_timestamp()
WHERE NOT EXISTS (
          SELECT 1 FROM notifications_tombstone
          WHERE user_id = %(user)s
            AND ((kind = 'processing' AND target_id = %(processing)s)
                 OR (kind = 'requirements' AND target_id = %(requirements)s)))
  AND NOT EXISTS (
          SELECT 1 FROM notifications_callback AS later
          WHERE later.processing_id = %(processing)s AND later.user_id = %(user)s
            AND later.run > %(run)s AND later.message_id IS NOT NULL
            AND NOT EXISTS (
                    SELECT 1 FROM notifications_callback
                    WHERE processing_id = %(processing)s AND run = %(run)s
                      AND message_id = %(message)s))
ON CONFLICT (processing_id, run) DO UPDATE
SET message_id = excluded.message_id, state = 'pending', updated_at = excluded.updated_at,
    callback_url = CASE WHEN callback.message_id IS NULL THEN excluded.callback_url
                        ELSE callback.callback_url END,
    webhook_id = CASE WHEN callback.message_id IS NULL THEN excluded.webhook_id
                      ELSE callback.webhook_id END,
    body = CASE WHEN callback.message_id IS NULL THEN excluded.body ELSE callback.body END,
    headers = CASE WHEN callback.message_id IS NULL THEN excluded.headers
                   ELSE callback.headers END
WHERE callback.user_id = excluded.user_id
  AND (callback.message_id IS NULL AND callback.state = 'registered'
       OR callback.message_id = excluded.message_id AND callback.state IN ('pending', 'failed')
          AND callback.callback_url <> '')
RETURNING id, callback_url, webhook_id, body, headers::text
"""


@transaction.atomic
def _take(outcome: ResultEvent, payload: Payload, message_id: int) -> Owed | None:
    response = outcome.response
    if erased_users.among([response.user_id]):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "class": LOCK_CLASS,
                "place": _place(response.user_id),
                "processing": response.processing_id,
                "run": outcome.run,
                "user": response.user_id,
                "requirements": response.requirements_id,
                "url": response.callback_url,
                "message": message_id,
                "webhook": payload.webhook_id,
                "body": payload.body,
                "headers": json.dumps(payload.headers),
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    callback_id, url, webhook_id, body, headers = row
    return Owed(callback_id, url, webhook_id, bytes(body), json.loads(headers))


@transaction.atomic
def _close(outcome: ResultEvent) -> None:
    """An outcome that nothing is sent of: deleted, after a later run's, a copy, or done before.

    Permanent: the processing is another user's.
    """
    response = outcome.response
    _lock(response.user_id)
    if _is_deleted(response):
        cancel(response.user_id, processing_ids=[response.processing_id], requirements_ids=[])
        return
    callback = _callback_of(response, outcome.run)
    if callback.message_id is None and callback.state == State.REGISTERED:
        callback.state = State.CANCELLED
        callback.save(update_fields=["state", "updated_at"])


def cancel(user_id: int, *, processing_ids: Iterable[int], requirements_ids: Iterable[int]) -> None:
    """Bury these ids of this user's: nothing is called back about them any more.

    What was delivered stays delivered, without its texts.
    """
    _lock(user_id)
    wanted = [(Tombstone.Kind.PROCESSING, id_) for id_ in processing_ids]
    wanted += [(Tombstone.Kind.REQUIREMENTS, id_) for id_ in requirements_ids]
    Tombstone.objects.bulk_create(
        [Tombstone(kind=kind, target_id=id_, user_id=user_id) for kind, id_ in wanted],
        ignore_conflicts=True,
    )
    about = Q(processing_id__in=processing_ids) | Q(requirements_id__in=requirements_ids)
    callbacks = Callback.objects.filter(about, user_id=user_id)
    CallbackAttempt.objects.filter(callback__in=callbacks).update(response_excerpt="")
    callbacks.update(body=b"", callback_url="", next_attempt_at=None)
    callbacks.exclude(state=State.DELIVERED).update(state=State.CANCELLED)


@transaction.atomic
def wait_for_claims(user_id: int) -> None:
    """Returns when every transaction of the user's that runs here now has ended."""
    _lock(user_id)


def lock_user_and_row(callback: Callback) -> Callback:
    """The callback as it is now, held until the transaction ends; as deletes and outcomes lock."""
    _lock(callback.user_id)
    return Callback.objects.select_for_update().get(pk=callback.pk)


def _callback_of(subject: SendingResponse, run: int) -> Callback:
    callback, _ = Callback.objects.select_for_update().get_or_create(
        processing_id=subject.processing_id,
        run=run,
        defaults={
            "user_id": subject.user_id,
            "requirements_id": subject.requirements_id,
            "callback_url": subject.callback_url,
        },
    )
    if callback.user_id != subject.user_id:
        raise Permanent("owner_conflict")
    return callback


def _is_deleted(subject: SendingResponse) -> bool:
    """Whether its owner deleted it or was erased."""
    about = Q(kind=Tombstone.Kind.PROCESSING, target_id=subject.processing_id)
    about |= Q(kind=Tombstone.Kind.REQUIREMENTS, target_id=subject.requirements_id)
    return (
        Tombstone.objects.filter(about, user_id=subject.user_id).exists()
        or erased_users.seconds_since(subject.user_id) is not None
    )


def _lock(user_id: int) -> None:
    """Alone, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _place(user_id)])


def _place(user_id: int) -> int:
    return user_id % 2**31

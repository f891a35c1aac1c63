"""Whose callback it is: registered, claimed by the first outcome of a run, or cancelled.

Each function runs in its caller's short transaction and takes the user's lock first, so that a
delete and an outcome that come together see one another.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from apps.notifications import payloads
from apps.notifications.models import Callback, CallbackAttempt, Tombstone
from apps.notifications.payloads import Payload
from kafka_bridge.events import NewRequest, Outcome, SendingResponse
from kafka_bridge.tasks import Permanent

# The class of this app's advisory locks: "noti" in ASCII.
LOCK_CLASS = 0x6E6F7469
State = Callback.State


# Of what its owner did not delete; what is registered already stays as it is. The second statement
# sees what was committed while the first waited for a delete of the user's.
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
              SELECT 1 FROM notifications_tombstone AS grave
              WHERE grave.user_id = wanted.user_id
                AND ((grave.kind = 'processing' AND grave.target_id = wanted.processing_id)
                     OR (grave.kind = 'requirements'
                         AND grave.target_id = wanted.requirements_id)))
      AND NOT EXISTS (
              SELECT 1 FROM kafka_bridge_eraseduser AS gone
              WHERE gone.user_id = wanted.user_id)
    ORDER BY wanted.processing_id, wanted.run
    ON CONFLICT (processing_id, run) DO NOTHING
    RETURNING processing_id, run, user_id
)
SELECT EXISTS (
    SELECT 1 FROM wanted JOIN (
        SELECT processing_id, run, user_id FROM registered
        UNION ALL SELECT processing_id, run, user_id FROM notifications_callback
    ) AS there USING (processing_id, run)
    WHERE there.user_id <> wanted.user_id)
"""


def register(events: Sequence[NewRequest]) -> None:
    """Note that callbacks will be owed. Permanent: a processing is another user's."""
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
        if cursor.fetchone()[0]:
            raise Permanent("owner_conflict")


def is_delivered(outcome: Outcome) -> bool:
    response = outcome.response
    return Callback.objects.filter(
        processing_id=response.processing_id,
        run=outcome.run,
        user_id=response.user_id,
        state=State.DELIVERED,
    ).exists()


def claim(outcome: Outcome, *, message_id: int, occurred_at: datetime) -> Callback | None:
    """The callback to make for this message, or None if there is nothing (more) to do.

    The first message of a run takes it by compare-and-set and keeps it over retries; a replay of
    its dead letter opens it again. An outcome that comes after a later run's is called off.
    Permanent: the processing is another user's.
    """
    response = outcome.response
    is_deleted, is_superseded = _standing(response, outcome.run)
    if is_deleted:
        cancel(response.user_id, processing_ids=[response.processing_id], requirements_ids=[])
        return None
    payload = payloads.build(outcome, occurred_at)
    if not is_superseded and (callback := _take_registered(outcome, payload, message_id)):
        return callback
    callback = _callback_of(response, outcome.run)
    changed = []
    if callback.message_id is None:
        if is_superseded:
            callback.state = State.CANCELLED
            callback.save(update_fields=["state", "updated_at"])
            return None
        callback.message_id = message_id
        callback.callback_url = response.callback_url
        callback.webhook_id = payload.webhook_id
        callback.body = payload.body
        callback.headers = payload.headers
        changed = ["message_id", "callback_url", "webhook_id", "body", "headers"]
    elif callback.message_id != message_id:
        return None
    if callback.state in (State.DELIVERED, State.CANCELLED) or not callback.callback_url:
        return None
    if callback.state != State.PENDING:
        callback.state = State.PENDING
        changed.append("state")
    if changed:
        callback.save(update_fields=[*changed, "updated_at"])
    return callback


_TAKE_REGISTERED = """
UPDATE notifications_callback
SET message_id = %s, callback_url = %s, webhook_id = %s, body = %s, headers = %s,
    state = 'pending', updated_at = clock_timestamp()
WHERE processing_id = %s AND run = %s AND user_id = %s
  AND message_id IS NULL AND state = 'registered'
RETURNING id
"""


def _take_registered(outcome: Outcome, payload: Payload, message_id: int) -> Callback | None:
    """The usual case in one statement: registered, and this is its first message.

    Of the row only what is known here is filled in.
    """
    response = outcome.response
    key: dict[str, Any] = {
        "processing_id": response.processing_id,
        "run": outcome.run,
        "user_id": response.user_id,
    }
    values: dict[str, Any] = {
        "message_id": message_id,
        "callback_url": response.callback_url,
        "webhook_id": payload.webhook_id,
        "body": payload.body,
        "headers": payload.headers,
    }
    written = values | {"headers": json.dumps(payload.headers)}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_REGISTERED, [*written.values(), *key.values()])
        row = cursor.fetchone()
    return Callback(pk=row[0], state=State.PENDING, **key, **values) if row else None


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
    """As `lock_row`, in the order in which deletes and outcomes lock."""
    _lock(callback.user_id)
    return lock_row(callback)


def lock_row(callback: Callback) -> Callback:
    """The callback as it is now, held until the transaction ends."""
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


# In one round trip; the second statement sees what was committed while the first waited.
_STANDING = """
SELECT pg_advisory_xact_lock(%(class)s, %(place)s);
SELECT EXISTS (SELECT 1 FROM notifications_tombstone WHERE user_id = %(user)s
               AND ((kind = 'processing' AND target_id = %(processing)s)
                    OR (kind = 'requirements' AND target_id = %(requirements)s)))
       OR EXISTS (SELECT 1 FROM kafka_bridge_eraseduser WHERE user_id = %(user)s),
       EXISTS (SELECT 1 FROM notifications_callback WHERE processing_id = %(processing)s
               AND user_id = %(user)s AND run > %(run)s AND message_id IS NOT NULL)
"""


def _standing(subject: SendingResponse, run: int) -> tuple[bool, bool]:
    """Whether its owner deleted it or was erased, and whether a later run has its outcome already.

    Takes the user's lock. The client must not end with the older one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING,
            {
                "class": LOCK_CLASS,
                "place": _place(subject.user_id),
                "user": subject.user_id,
                "processing": subject.processing_id,
                "requirements": subject.requirements_id,
                "run": run,
            },
        )
        is_deleted, is_superseded = cursor.fetchone()
        return is_deleted, is_superseded


def _lock(user_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _place(user_id)])


def _place(user_id: int) -> int:
    return user_id % 2**31

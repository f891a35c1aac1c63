"""Work is done again: a dead letter's, or that of messages the inbox still holds.

A message owes a handler at most one row (`message_task_identity`), so a replay makes that row due
again, or makes it if housekeeping dropped it. A row that is still owed is left as it is.
"""

from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction
from django.utils import timezone

from kafka_bridge.contract import codec
from kafka_bridge.contract.routes import ROUTES, tasks_for
from kafka_bridge.contract.topic_names import contract_name
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage

OUTBOX = "outbox"
"""Stands among handlers' names for what could not be produced: every handler follows from it."""

_DUE_AGAIN = """
INSERT INTO kafka_bridge_messagetask AS task
    (message_id, name, state, attempts, replays, next_attempt_at, leased_alone, suspect,
     crashes_alone, last_error, created_at)
SELECT owed.message_id, owed.name, 'pending', 0, 1, clock_timestamp(), FALSE, FALSE, 0, '',
       clock_timestamp()
FROM unnest(%s::bigint[], %s::text[]) AS owed(message_id, name)
ON CONFLICT (message_id, name) DO UPDATE SET
    state = 'pending', attempts = 0, replays = task.replays + 1, suspect = FALSE,
    crashes_alone = 0, next_attempt_at = clock_timestamp(), woken_at = NULL, finished_at = NULL,
    last_error = ''
WHERE task.state IN ('done', 'dead')
RETURNING id
"""


def handlers_named(names: Iterable[str]) -> frozenset[str]:
    """Handlers from their names, their apps' names, or `all`. Raises ValueError for any other."""
    known = {task for tasks in ROUTES.values() for task in tasks}
    chosen: set[str] = set()
    for name in names:
        if name == "all":
            found = known | {OUTBOX}
        elif name == OUTBOX:
            found = {OUTBOX}
        else:
            found = {task for task in known if task == name or task.partition(".")[0] == name}
        if not found:
            raise ValueError(f"{name!r} names none of {', '.join(sorted(known))}")
        chosen |= found
    return frozenset(chosen)


def owed_by(topic: str, key: str, handlers: Collection[str]) -> tuple[str, ...]:
    """Those of `handlers` that take what has this key at this topic (its name in the cluster)."""
    try:
        event = codec.event_type(contract_name(topic), key.encode())
    except codec.Undecodable:
        return ()
    return tuple(name for name in tasks_for(event) if name in handlers)


@transaction.atomic
def replay_messages(messages: Sequence[InboxMessage], handlers: Collection[str]) -> int:
    """Make the messages' work due again for these handlers; returns how many rows.

    A message without its payload is passed over.
    """
    owed = [
        (message.pk, name)
        for message in messages
        if message.value is not None
        for name in owed_by(message.topic, message.key, handlers)
    ]
    return len(_make_due(owed))


@transaction.atomic
def make_due(message_id: int, handler: str) -> bool:
    """Have one handler do its work at one message now: again, or sooner than planned.

    False if the message's payload is gone.
    """
    message = InboxMessage.objects.select_for_update().filter(pk=message_id).first()
    if message is None:
        return False
    if message.value is None:
        letters = DeadLetter.objects.filter(task__message=message, task__name=handler)
        letter = letters.order_by("-pk").first()
        if letter is None or not _restore(message, letter):
            return False
    waiting = MessageTask.objects.filter(message=message, name=handler, state="pending")
    if not waiting.update(next_attempt_at=timezone.now(), woken_at=None):
        _make_due([(message_id, handler)])
    return True


def replay(letter: DeadLetter, handlers: Collection[str] | None = None) -> bool:
    """Try `letter` again, once; False if there is nothing to try.

    That is: unreadable still, done before, or of none of the `handlers` (None: any).
    """
    with transaction.atomic():
        locked = DeadLetter.objects.select_for_update().get(pk=letter.pk)
        if locked.replayed_at is not None:
            return False
        if locked.source == DeadLetter.Source.HANDLER:
            done = _retry_task(locked, handlers)
        elif locked.source == DeadLetter.Source.OUTBOX:
            done = (handlers is None or OUTBOX in handlers) and _produce_again(locked)
        else:
            done = _read_again(locked, handlers)
        if done:
            locked.replayed_at = timezone.now()
            locked.save(update_fields=["replayed_at"])
        return done


def would_replay(letter: DeadLetter, handlers: Collection[str]) -> bool:
    """What `replay` would return, found by doing it and rolling back."""
    with transaction.atomic():
        done = replay(letter, handlers)
        transaction.set_rollback(True)
        return done


def _retry_task(letter: DeadLetter, handlers: Collection[str] | None) -> bool:
    task = letter.task
    if task is None or task.state != task.State.DEAD:
        return False
    if handlers is not None and task.name not in handlers:
        return False
    if not _restore(InboxMessage.objects.get(pk=task.message_id), letter):
        return False
    return bool(_make_due([(task.message_id, task.name)]))


def _read_again(letter: DeadLetter, handlers: Collection[str] | None) -> bool:
    """What was unreadable may be an event to a newer version of this code."""
    try:
        event = codec.decode(contract_name(letter.topic), _bytes(letter.key), _bytes(letter.value))
    except codec.Undecodable:
        return False  # as what was erased is
    if letter.partition is None or letter.offset is None:
        return False
    message = (
        InboxMessage.objects.filter(
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            content_hash=codec.content_hash(_bytes(letter.value)),
        )
        .order_by("-pk")
        .first()
    )
    if message is None:
        return False
    names = [n for n in tasks_for(type(event)) if handlers is None or n in handlers]
    _restore(message, letter)
    return bool(_make_due([(message.pk, name) for name in names]))


def _produce_again(letter: DeadLetter) -> bool:
    if letter.value is None:
        return False
    event = codec.decode(letter.topic, _bytes(letter.key), _bytes(letter.value))
    OutboxMessage.objects.create(
        topic=letter.topic,
        key=event.key,
        partition_key=event.partition_key(),
        value=_bytes(letter.value),
        occurred_at=letter.occurred_at or timezone.now(),
    )
    return True


def _restore(message: InboxMessage, letter: DeadLetter) -> bool:
    """Give a message back the payload that housekeeping dropped; False if it was erased."""
    if message.value is None and letter.value is not None:
        message.value = letter.value
        message.save(update_fields=["value"])
    return message.value is not None


def _make_due(owed: Sequence[tuple[int, str]]) -> list[int]:
    if not owed:
        return []
    ordered = sorted(set(owed))
    with connection.cursor() as cursor:
        cursor.execute(_DUE_AGAIN, [[m for m, _ in ordered], [name for _, name in ordered]])
        ids = [row[0] for row in cursor.fetchall()]
    DeadLetter.objects.filter(task__in=ids, replayed_at=None).update(replayed_at=timezone.now())
    return ids


def _bytes(raw: bytes | memoryview | None) -> bytes:
    return bytes(raw or b"")

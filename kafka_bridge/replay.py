"""A dead letter is tried again: its task becomes due, or its event goes back to the outbox."""

from django.db import transaction
from django.utils import timezone

from kafka_bridge import codec
from kafka_bridge.models import DeadLetter, MessageTask, OutboxMessage


def replay(letter: DeadLetter) -> bool:
    """Try `letter` again, once; False if there is nothing to try (unreadable, or done before)."""
    with transaction.atomic():
        locked = DeadLetter.objects.select_for_update().get(pk=letter.pk)
        if locked.replayed_at is not None:
            return False
        if locked.source == DeadLetter.Source.HANDLER:
            done = _retry_task(locked)
        elif locked.source == DeadLetter.Source.OUTBOX:
            done = _produce_again(locked)
        else:
            done = False
        if done:
            locked.replayed_at = timezone.now()
            locked.save(update_fields=["replayed_at"])
        return done


def _retry_task(letter: DeadLetter) -> bool:
    return bool(
        letter.task_id is not None
        and MessageTask.objects.filter(pk=letter.task_id, state=MessageTask.State.DEAD).update(
            state=MessageTask.State.PENDING,
            attempts=0,
            crashes_alone=0,
            suspect=False,
            next_attempt_at=timezone.now(),
            woken_at=None,
            finished_at=None,
        )
    )


def _produce_again(letter: DeadLetter) -> bool:
    event = codec.decode(letter.topic, bytes(letter.key or b""), bytes(letter.value or b""))
    OutboxMessage.objects.create(
        topic=letter.topic,
        key=event.key,
        partition_key=event.partition_key(),
        value=bytes(letter.value or b""),
        occurred_at=letter.occurred_at or timezone.now(),
    )
    return True

"""The bridge's tables: what shall go to Kafka, what came from it, and the work that it means.

Payloads are kept as the bytes that travel, so nothing is lost or changed by reading them.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutboxMessage(models.Model):
    """An event that is to be produced; its row goes when the broker has acknowledged it."""

    event_id = models.UUIDField(default=uuid.uuid4)
    topic = models.CharField(max_length=100, help_text="The contract's name of the topic.")
    key = models.CharField(max_length=100)
    partition_key = models.BigIntegerField(help_text="The user whose events stay in order.")
    value = models.BinaryField()
    traceparent = models.CharField(max_length=55, blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_default="")
    occurred_at = models.DateTimeField(
        default=timezone.now, help_text="Becomes the Kafka message's timestamp."
    )

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.key} {self.event_id}"


class PartitionLog(models.Model):
    """How far one partition's log was taken in, and which of its lives (epochs) this is.

    A log that counts from 0 again after the broker lost it must not be mistaken for old news.
    """

    cluster_id = models.CharField(max_length=100)
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    epoch = models.IntegerField(default=0)
    next_offset = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("partition log")
        verbose_name_plural = _("partition logs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("cluster_id", "topic", "partition"), name="partition_log_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}] epoch {self.epoch} at {self.next_offset}"


class InboxMessage(models.Model):
    """A message that was taken from Kafka. Its identity outlives its payload."""

    cluster_id = models.CharField(max_length=100)
    epoch = models.IntegerField()
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    key = models.CharField(max_length=100)
    event_id = models.CharField(max_length=100, blank=True)
    traceparent = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of the request that led to it."
    )
    value = models.BinaryField(null=True, help_text="Null once its days are over.")
    content_hash = models.BinaryField(max_length=16)
    occurred_at = models.DateTimeField(help_text="The Kafka message's timestamp.")
    received_at = models.DateTimeField(default=timezone.now)
    user_id = models.BigIntegerField(null=True, help_text="Whose message it is; 0: nobody's.")

    class Meta:
        verbose_name = _("inbox message")
        verbose_name_plural = _("inbox messages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("cluster_id", "epoch", "topic", "partition", "offset"),
                name="inbox_message_identity",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=("received_at",), name="inbox_message_received"),
            models.Index(
                fields=("received_at",),
                condition=Q(value__isnull=False),
                name="inbox_message_with_payload",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.topic}[{self.partition}]@{self.offset}"


class MessageTask(models.Model):
    """What one handler owes one inbox message; the whole state of its retries lives here."""

    class State(models.TextChoices):
        PENDING = "pending"
        LEASED = "leased"
        DONE = "done"
        DEAD = "dead"

    # Its rows are found by `message_task_identity`, which begins with it.
    message = models.ForeignKey(
        InboxMessage, on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    name = models.CharField(max_length=100, help_text="The handler, e.g. ai.analyze.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.IntegerField(default=0, help_text="Attempts that ended in a retry.")
    replays = models.IntegerField(
        default=0, db_default=0, help_text="How often it was made due again."
    )
    next_attempt_at = models.DateTimeField(default=timezone.now)
    woken_at = models.DateTimeField(null=True, help_text="When Celery was last told of it.")
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    leased_alone = models.BooleanField(default=False)
    suspect = models.BooleanField(
        default=False, help_text="Its worker died once; from then on it is claimed alone."
    )
    crashes_alone = models.IntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message task")
        verbose_name_plural = _("message tasks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("message", "name"), name="message_task_identity")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=("name", "next_attempt_at"),
                condition=Q(state="pending"),
                name="message_task_due",
            ),
            models.Index(
                fields=("name", "id"),
                condition=Q(state="pending", suspect=True),
                name="message_task_suspect",
            ),
            models.Index(
                fields=("lease_expires_at",),
                condition=Q(state="leased"),
                name="message_task_leased",
            ),
            models.Index(
                fields=("finished_at",), condition=Q(state="done"), name="message_task_done"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of message {self.message_id}"


class DeadLetter(models.Model):
    """A message that could not be taken, handled or produced: nothing of it is lost."""

    class Source(models.TextChoices):
        INTAKE = "intake", "could not be read"
        HANDLER = "handler", "could not be handled"
        OUTBOX = "outbox", "could not be produced"

    source = models.CharField(max_length=10, choices=Source.choices)
    reason = models.CharField(max_length=100, help_text="A constant word.")
    detail = models.CharField(max_length=1000, blank=True)
    topic = models.CharField(max_length=249)
    partition = models.IntegerField(null=True)
    offset = models.BigIntegerField(null=True)
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    headers = models.JSONField(default=list, help_text="[[name, value in base64]]")
    occurred_at = models.DateTimeField(null=True)
    task = models.ForeignKey(
        MessageTask, null=True, on_delete=models.SET_NULL, related_name="dead_letters"
    )
    created_at = models.DateTimeField(default=timezone.now)
    replayed_at = models.DateTimeField(null=True)
    user_id = models.BigIntegerField(null=True, help_text="Whose message it is; 0: nobody's.")

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        permissions: ClassVar = [
            ("replay_deadletter", "Can replay a dead letter"),
            ("view_payload", "Can see the texts in a dead letter's payload"),
        ]
        indexes: ClassVar = [models.Index(fields=("created_at",), name="dead_letter_created")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.source})"


class ErasedUser(models.Model):
    """The tombstone of a user whose data were erased: nothing of theirs is taken in again."""

    user_id = models.BigIntegerField(primary_key=True)
    erased_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "erased user"

    def __str__(self) -> str:
        return f"user {self.user_id}"


class PeriodicJob(models.Model):
    """When a job without an event is due next; whoever moves that on does the round."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        verbose_name = "periodic job"

    def __str__(self) -> str:
        return self.name

"""What clients are owed, and every attempt to give it to them."""

from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q


class Callback(models.Model):
    """The callback of one run of a processing.

    The first outcome of the run owns it (`message_id`, the inbox row): its copies end without a
    call. Cancelled or deleted ones keep no text and no address.
    """

    class State(models.TextChoices):
        REGISTERED = "registered", "registered: the outcome is awaited"
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    processing_id = models.BigIntegerField()
    run = models.IntegerField()
    user_id = models.BigIntegerField()
    requirements_id = models.BigIntegerField()
    callback_url = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.REGISTERED)

    message_id = models.BigIntegerField(null=True)
    webhook_id = models.CharField(max_length=80, default="")
    body = models.BinaryField(default=b"")
    headers = models.JSONField(default=dict)

    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [("deliver_again", "Can have a callback delivered again")]
        constraints = [
            models.UniqueConstraint(
                fields=["processing_id", "run"], name="notifications_callback_once_a_run"
            ),
        ]
        indexes = [
            models.Index(fields=["user_id", "processing_id"], name="notifications_of_processing"),
            models.Index(
                fields=["user_id", "requirements_id"], name="notifications_of_requirements"
            ),
            models.Index(
                fields=["state", "next_attempt_at"],
                condition=Q(state__in=["registered", "pending", "failed"]),
                name="notifications_open",
            ),
        ]

    def __str__(self) -> str:
        return f"callback of processing {self.processing_id}, run {self.run}"

    @property
    def host(self) -> str:
        """All of the URL that may be logged or shown: its path may be a secret."""
        try:
            return urlsplit(self.callback_url).hostname or ""
        except ValueError:
            return ""


class CallbackAttempt(models.Model):
    """One POST, as far as it got: a status, or the word for what went wrong."""

    callback = models.ForeignKey(Callback, on_delete=models.CASCADE, related_name="history")
    number = models.IntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.IntegerField()
    status_code = models.IntegerField(null=True)
    error = models.CharField(max_length=50, default="")
    address = models.CharField(max_length=64, default="")
    response_excerpt = models.TextField(default="")

    class Meta:
        ordering = ("started_at", "id")

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status_code or self.error}"


class Tombstone(models.Model):
    """A user deleted this id: that user's callbacks about it are not made, now or later."""

    class Kind(models.TextChoices):
        PROCESSING = "processing"
        REQUIREMENTS = "requirements"

    kind = models.CharField(max_length=12, choices=Kind)
    target_id = models.BigIntegerField()
    user_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target_id", "user_id"], name="notifications_tombstone_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_id} of user {self.user_id}"

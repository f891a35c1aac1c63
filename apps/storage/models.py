"""What the events have told, one row per id and claimant.

Every column that comes from events is a pure function of the set of events of that id and user: no
order, repetition or batching changes it (`reduction.py`, `upserts.py`).

An id that an app here issued belongs to whom it says (`kafka_bridge.contract.issuers`). Any other
belongs to the user with the earliest `create_at` (then the smaller user id). A later claim by
somebody else is refused and becomes a dead letter. If the earlier claim arrives second, both rows
stay and the reads see the earlier one, so nothing of the owner's is ever lost to a stranger.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StoredUser(models.Model):
    user_id = models.BigIntegerField(primary_key=True)
    username = models.TextField()
    full_name = models.TextField(null=True)
    created_at = models.DateTimeField()
    event_at = models.DateTimeField()
    event_hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"user {self.user_id}"


class Claim(models.Model):
    """An id as one user claims it; `create_at` is the earliest timestamp of that user's events."""

    user_id = models.BigIntegerField()
    create_at = models.DateTimeField()

    class Meta:
        abstract = True


class StoredText(Claim):
    """The text of the latest event, or, once deleted, the claim alone."""

    text_at = models.DateTimeField(null=True)
    text_hash = models.CharField(max_length=64)
    deleted = models.BooleanField(default=False)

    class Meta:
        abstract = True


class StoredResume(StoredText):
    resume_id = models.BigIntegerField()
    resume = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resume_id", "user_id"], name="storage_resume_claim"),
        ]

    def __str__(self) -> str:
        return f"resume {self.resume_id}"


class StoredRequirements(StoredText):
    requirements_id = models.BigIntegerField()
    requirements = models.TextField()

    class Meta:
        verbose_name = _("vacancy")
        verbose_name_plural = _("vacancies")
        constraints = [
            models.UniqueConstraint(
                fields=["requirements_id", "user_id"], name="storage_requirements_claim"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user_id", "-create_at"],
                condition=Q(deleted=False),
                name="storage_requirements_list",
            ),
        ]

    def __str__(self) -> str:
        return f"requirements {self.requirements_id}"


class ResumeWords(models.Model):
    """The words of a resume, for the staff's search; follows its text within a minute or so.

    A trigger takes them away in the transaction that changes the text (`words.py`).
    """

    resume_pk = models.BigIntegerField(primary_key=True)
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="storage_resume_words")]

    def __str__(self) -> str:
        return f"words of resume row {self.resume_pk}"


class RequirementsWords(models.Model):
    """The same of requirements."""

    requirements_pk = models.BigIntegerField(primary_key=True)
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="storage_requirements_words")]

    def __str__(self) -> str:
        return f"words of requirements row {self.requirements_pk}"


class Status(models.TextChoices):
    QUEUED = "queued", _("queued")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")
    DELETED = "deleted", _("deleted")


class StoredProcessing(Claim):
    """A processing: its request, and the result of the highest run.

    `run` to `details` are the winning result's, null or empty before there is one;
    `requested_run` to `callback_url` are the latest request's. Deleted: only the ids remain.
    """

    processing_id = models.BigIntegerField()
    resume_id = models.BigIntegerField()
    requirements_id = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)

    run = models.IntegerField(null=True)
    result_at = models.DateTimeField(null=True)
    result_hash = models.CharField(max_length=64, default="")
    score = models.IntegerField(null=True)
    verdict = models.TextField(null=True)
    matches = models.JSONField(null=True)
    recommendation = models.TextField(null=True)
    details = models.JSONField(null=True)
    message_error = models.TextField(null=True)
    wait_seconds = models.IntegerField(null=True)

    requested_run = models.IntegerField(null=True)
    requested_at = models.DateTimeField(null=True)
    callback_url = models.TextField(default="")

    # Not from events: the last run that was answered by a next one, by the watchdog or by staff
    # (`watchdog.py`, `orders.py`).
    watched_run = models.IntegerField(null=True)
    # Not from events: the run that staff ordered beside a result and that is still watched.
    ordered_run = models.IntegerField(null=True)

    class Meta:
        verbose_name = _("processing")
        verbose_name_plural = _("processings")
        permissions = [
            ("export_processing", "Can export processings"),
            ("judge_again", "Can have a processing judged again"),
            ("cancel_processing", "Can cancel a processing that waits"),
            ("delete_with_texts", "Can delete a processing with its texts"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["processing_id", "user_id"], name="storage_processing_claim"
            ),
        ]
        indexes = [
            models.Index(fields=["user_id", "-create_at"], name="storage_processing_list"),
            models.Index(
                fields=["user_id", "requirements_id", "-score"], name="storage_processing_ranking"
            ),
            models.Index(
                fields=["requested_at"],
                condition=Q(ordered_run__isnull=False),
                name="storage_processing_ordered",
            ),
            models.Index(
                fields=["requested_at"],
                condition=Q(status=Status.QUEUED),
                name="storage_processing_waiting",
            ),
            # The staff's lists, over all users: decision 0061.
            models.Index(
                fields=["-create_at", "-id"],
                include=["status", "score", "requirements_id", "user_id"],
                name="storage_processing_newest",
            ),
            models.Index(fields=["requirements_id", "-score"], name="storage_processing_vacancy"),
            models.Index(fields=["resume_id"], name="storage_processing_resume"),
            models.Index(
                fields=["-create_at", "-id"],
                condition=Q(details__flags__0__isnull=False),
                name="storage_processing_flagged",
            ),
        ]

    def __str__(self) -> str:
        return f"processing {self.processing_id}"


class Tombstone(models.Model):
    """A user deleted this id; it hides that user's rows only, now and later."""

    class Kind(models.TextChoices):
        PROCESSING = "processing"
        REQUIREMENTS = "requirements"
        RESUME = "resume"

    kind = models.CharField(max_length=12, choices=Kind)
    target_id = models.BigIntegerField()
    user_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target_id", "user_id"], name="storage_tombstone_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_id} of user {self.user_id}"

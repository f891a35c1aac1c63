"""Rubrics, analyses by them, and what their owners deleted. No table here holds a resume."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class Rubric(models.Model):
    """The criteria of one requirements text, frozen once they are there.

    `key` follows from text, prompt version and model. Until `criteria` is set, the row is a claim:
    whoever wrote `claimed_until` is asking the model right now.
    """

    key = models.CharField(max_length=64, unique=True)
    requirements_hash = models.CharField(max_length=64, db_index=True)
    user_id = models.BigIntegerField(
        null=True, help_text=_("Whose requirements it was made from, or is being made from.")
    )
    prompt_version = models.CharField(max_length=32)
    model = models.CharField(max_length=128)
    language = models.CharField(max_length=2)
    criteria = models.JSONField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("rubric")
        verbose_name_plural = _("rubrics")

    def __str__(self) -> str:
        return f"rubric {self.pk}"


class Analysis(models.Model):
    """The one outcome of one run of a processing; the first that commits stays.

    A forgotten one keeps what it cost, and nothing else of its content.
    """

    class Status(models.TextChoices):
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")
        FORGOTTEN = "forgotten", _("forgotten")

    processing_id = models.BigIntegerField()
    run = models.PositiveIntegerField(default=0)
    user_id = models.BigIntegerField()
    requirements_id = models.BigIntegerField()
    status = models.CharField(max_length=16, choices=Status.choices)
    resume_hash = models.CharField(max_length=64, blank=True)
    requirements_hash = models.CharField(max_length=64, blank=True)
    rubric = models.ForeignKey(
        # Without a constraint: a rubric may be forgotten while a judgement by it is under way.
        Rubric,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_constraint=False,
    )
    prompt_version = models.CharField(max_length=32)
    model = models.CharField(max_length=128)
    result = models.JSONField(null=True, blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    verdict = models.CharField(max_length=32, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    wait_seconds = models.PositiveIntegerField(null=True, blank=True)
    reused_from = models.BigIntegerField(null=True, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(
        max_digits=14,
        decimal_places=8,
        null=True,
        blank=True,
        help_text=_("Empty where a model has no price in the table."),
    )
    flags = models.PositiveSmallIntegerField(
        default=0, help_text=_("Places in the resume that speak to the judge.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        constraints = [
            models.UniqueConstraint(fields=["processing_id", "run"], name="ai_one_outcome_per_run"),
        ]
        indexes = [
            models.Index(
                fields=["user_id", "rubric", "resume_hash"],
                condition=models.Q(status="finished"),
                name="ai_reuse",
            ),
            models.Index(fields=["user_id", "requirements_id"], name="ai_by_requirements"),
            # Rows come in the order of time; the start page counts today's.
            BrinIndex(fields=["created_at"], autosummarize=True, name="ai_by_time"),
        ]

    def __str__(self) -> str:
        return f"analysis of processing {self.processing_id}, run {self.run}"


class ProviderCall(models.Model):
    """One answer of the provider, useful or not, and what it cost. Outlives what it was about."""

    user_id = models.BigIntegerField()
    processing_id = models.BigIntegerField()
    run = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=16)
    model = models.CharField(max_length=128)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True, blank=True)
    is_useful = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("provider call")
        verbose_name_plural = _("provider calls")
        indexes = [
            models.Index(fields=["processing_id", "run"], name="ai_call_by_processing"),
            models.Index(fields=["created_at", "user_id"], name="ai_call_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for processing {self.processing_id}, run {self.run}"


class DailySpending(models.Model):
    """What provider calls that are no longer kept one by one add up to; a day is UTC's."""

    day = models.DateField()
    user_id = models.BigIntegerField()
    model = models.CharField(max_length=128)
    calls = models.PositiveIntegerField()
    input_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=20, decimal_places=8)
    unpriced = models.PositiveIntegerField(
        help_text=_("Calls whose model had no price in the table: they are in none of the money.")
    )

    class Meta:
        verbose_name = _("daily spending")
        verbose_name_plural = _("daily spending")
        constraints = [
            models.UniqueConstraint(fields=["day", "user_id", "model"], name="ai_spending_once"),
        ]

    def __str__(self) -> str:
        return f"spending of user {self.user_id} on {self.day}"


class Tombstone(models.Model):
    """An id that `user_id` deleted; it says nothing about rows of anybody else."""

    class Kind(models.TextChoices):
        PROCESSING = "processing", _("processing")
        REQUIREMENTS = "requirements", _("requirements")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    ref_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        constraints = [
            models.UniqueConstraint(fields=["user_id", "kind", "ref_id"], name="ai_tombstone_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref_id} of user {self.user_id}"

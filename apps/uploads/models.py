"""What users uploaded, and which resume they want judged by which requirements.

Owners are users of another app, so `user_id` is a plain number. Deletion marks: the mark is the
memory that an id was deleted.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Resume(models.Model):
    """A resume's text; it never changes. A deleted one's is empty."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.BigIntegerField()
    text = models.TextField()
    flags = models.JSONField(
        default=list, blank=True, help_text="What extraction noticed, e.g. hidden text."
    )
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=("user_id", "id"), name="uploads_resume_owner")]

    def __str__(self) -> str:
        return f"resume {self.id}"


class Requirements(models.Model):
    """A vacancy's requirements; the text never changes."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.BigIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "requirements"
        indexes: ClassVar = [
            models.Index(fields=("user_id", "id"), name="uploads_requirements_owner")
        ]

    def __str__(self) -> str:
        return f"requirements {self.id}"


class Processing(models.Model):
    """A started judgement of one resume by one set of requirements."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.BigIntegerField()
    resume = models.ForeignKey(Resume, on_delete=models.PROTECT, related_name="processings")
    requirements = models.ForeignKey(
        Requirements, on_delete=models.PROTECT, related_name="processings"
    )
    callback_url = models.CharField(max_length=2048)
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("user_id", "id"), name="uploads_processing_owner"),
            models.Index(
                fields=("requirements", "id"),
                condition=Q(deleted_at=None),
                name="uploads_processing_live",
            ),
        ]

    def __str__(self) -> str:
        return f"processing {self.id}"

"""Plain lists of uploads for the staff; nothing is edited here, for others have copies."""

from typing import ClassVar

from django.contrib import admin

from apps.uploads.models import Processing, Requirements, Resume
from resume_platform.admin.base import ModelAdmin, ReadOnly


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    search_fields: ClassVar = ("=id", "=user_id")
    ordering = ("-id",)


@admin.register(Resume)
class ResumeAdmin(ReadOnlyAdmin):
    has_texts = True
    list_display = ("id", "user_id", "created_at", "flags")
    list_filter = ("created_at",)


@admin.register(Requirements)
class RequirementsAdmin(ReadOnlyAdmin):
    has_texts = True
    list_display = ("id", "user_id", "created_at", "deleted_at")
    list_filter = ("created_at", ("deleted_at", admin.EmptyFieldListFilter))


@admin.register(Processing)
class ProcessingAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "user_id",
        "resume_id",
        "requirements_id",
        "created_at",
        "deleted_at",
    )
    list_filter = ("created_at", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = False
    exclude = ("callback_url",)  # its path may be a secret; the host is with the callback
    # The forms of foreign keys would list every row there is.
    raw_id_fields = ("resume", "requirements")

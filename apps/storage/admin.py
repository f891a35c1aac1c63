"""Staff may look at what is stored; only events change it."""

from django.contrib import admin

from apps.storage.models import (
    StoredProcessing,
    StoredRequirements,
    StoredResume,
    StoredUser,
    Tombstone,
)
from resume_platform.admin import ModelAdmin, ReadOnly


@admin.register(StoredUser)
class StoredUserAdmin(ReadOnly, ModelAdmin):
    list_display = ("user_id", "username", "full_name", "created_at")
    search_fields = ("=user_id", "=username")
    ordering = ("-user_id",)


@admin.register(StoredResume)
class StoredResumeAdmin(ReadOnly, ModelAdmin):
    list_display = ("resume_id", "user_id", "create_at", "deleted")
    list_filter = ("deleted",)
    search_fields = ("=resume_id", "=user_id")
    ordering = ("-resume_id",)


@admin.register(StoredRequirements)
class StoredRequirementsAdmin(ReadOnly, ModelAdmin):
    list_display = ("requirements_id", "user_id", "create_at", "deleted")
    list_filter = ("deleted",)
    search_fields = ("=requirements_id", "=user_id")
    ordering = ("-requirements_id",)


@admin.register(StoredProcessing)
class StoredProcessingAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "processing_id",
        "user_id",
        "requirements_id",
        "resume_id",
        "status",
        "score",
        "verdict",
        "run",
        "create_at",
    )
    list_filter = ("status", "verdict")
    search_fields = ("=processing_id", "=user_id", "=requirements_id", "=resume_id")
    exclude = ("callback_url",)  # it may carry a secret of the client's
    ordering = ("-processing_id",)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, ModelAdmin):
    list_display = ("kind", "target_id", "user_id")
    list_filter = ("kind",)
    search_fields = ("=target_id", "=user_id")
    ordering = ("-id",)

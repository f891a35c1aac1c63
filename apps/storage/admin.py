"""Staff may look at what is stored; only events change it.

Processings and requirements have their pages in the app `staff`, for other apps know of them too.
"""

from django.contrib import admin

from apps.storage.models import StoredResume, StoredUser, Tombstone
from resume_platform.admin.base import ModelAdmin, ReadOnly


@admin.register(StoredUser)
class StoredUserAdmin(ReadOnly, ModelAdmin):
    list_display = ("user_id", "username", "full_name", "created_at")
    search_fields = ("=user_id", "=username")
    ordering = ("-user_id",)


@admin.register(StoredResume)
class StoredResumeAdmin(ReadOnly, ModelAdmin):
    has_texts = True
    list_display = ("resume_id", "user_id", "create_at", "deleted")
    list_filter = ("deleted",)
    search_fields = ("=resume_id", "=user_id")
    ordering = ("-resume_id",)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, ModelAdmin):
    list_display = ("kind", "target_id", "user_id")
    list_filter = ("kind",)
    search_fields = ("=target_id", "=user_id")
    ordering = ("-id",)

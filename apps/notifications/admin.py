"""Staff see what clients are owed and every attempt; of a callback's URL only the host."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.notifications.models import Callback, CallbackAttempt, Tombstone


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CallbackAttemptInline(ReadOnly, admin.TabularInline):
    model = CallbackAttempt
    extra = 0


@admin.register(Callback)
class CallbackAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "processing_id",
        "run",
        "user_id",
        "host",
        "state",
        "attempts",
        "next_attempt_at",
        "last_error",
        "updated_at",
    )
    list_filter = ("state", "last_error")
    search_fields = ("=processing_id", "=user_id", "=webhook_id")
    exclude = ("callback_url", "body", "headers")
    readonly_fields = ("host",)
    inlines = (CallbackAttemptInline,)
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("kind", "target_id", "user_id")
    list_filter = ("kind",)
    search_fields = ("=target_id", "=user_id")
    ordering = ("-id",)
    show_full_result_count = False

"""Staff see what clients are owed and every attempt; of a callback's URL only the host."""

from django.contrib import admin

from apps.notifications.delivery import explanation
from apps.notifications.models import Callback, CallbackAttempt, Tombstone
from apps.notifications.staff_actions import DELIVER_AGAIN
from resume_platform.admin.base import ExactFilter, ModelAdmin, ReadOnly, TabularInline
from resume_platform.admin.staff_action_pages import WithStaffActions


class CallbackAttemptInline(ReadOnly, TabularInline):
    model = CallbackAttempt
    extra = 0


@admin.register(Callback)
class CallbackAdmin(WithStaffActions, ReadOnly, ModelAdmin):
    staff_actions = (DELIVER_AGAIN,)
    list_display = (
        "processing_id",
        "run",
        "user_id",
        "host",
        "state",
        "attempts",
        "next_attempt_at",
        "why_not_delivered",
        "updated_at",
    )
    list_filter = ("state", ("last_error", ExactFilter), "created_at", "next_attempt_at")
    search_fields = ("=processing_id", "=user_id", "=webhook_id")
    exclude = ("callback_url", "body", "headers")
    readonly_fields = ("host", "why_not_delivered")
    inlines = (CallbackAttemptInline,)
    ordering = ("-id",)

    @admin.display(description="why not delivered")
    def why_not_delivered(self, callback: Callback) -> str:
        return explanation.why_not_delivered(callback)


@admin.register(CallbackAttempt)
class CallbackAttemptAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "id",
        "processing_id",
        "number",
        "started_at",
        "duration_ms",
        "status_code",
        "error",
        "address",
    )
    list_filter = (("error", ExactFilter), ("status_code", ExactFilter), "started_at")
    search_fields = ("=callback__processing_id", "=callback__user_id", "=address")
    list_select_related = ("callback",)
    raw_id_fields = ("callback",)
    ordering = ("-id",)

    @admin.display(description="processing")
    def processing_id(self, attempt: CallbackAttempt) -> int:
        return attempt.callback.processing_id


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, ModelAdmin):
    list_display = ("kind", "target_id", "user_id")
    list_filter = ("kind",)
    search_fields = ("=target_id", "=user_id")
    ordering = ("-id",)

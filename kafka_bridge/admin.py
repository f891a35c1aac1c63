"""The bridge in the admin: what waits and what came; what failed is in `dead_letter_admin.py`."""

from django.contrib import admin

from kafka_bridge.dead_letters import admin as dead_letter_admin  # noqa: F401  registers its page
from kafka_bridge.models import InboxMessage, MessageTask, OutboxMessage, PartitionLog
from resume_platform.admin.base import ModelAdmin, ReadOnly, TabularInline


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "key", "topic", "partition_key", "occurred_at", "event_id")
    list_filter = ("topic", "key")
    search_fields = ("event_id", "partition_key")
    exclude = ("value",)


class MessageTaskInline(ReadOnly, TabularInline):
    model = MessageTask
    fields = ("name", "state", "attempts", "next_attempt_at", "last_error", "finished_at")
    extra = 0


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "key", "topic", "partition", "offset", "occurred_at", "received_at")
    list_filter = ("topic", "key")
    search_fields = ("event_id",)
    exclude = ("value", "content_hash")
    inlines = (MessageTaskInline,)


@admin.register(MessageTask)
class MessageTaskAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "name", "state", "attempts", "next_attempt_at", "last_error")
    list_filter = ("name", "state", "suspect")
    raw_id_fields = ("message",)


@admin.register(PartitionLog)
class PartitionLogAdmin(ReadOnly, ModelAdmin):
    list_display = ("topic", "partition", "epoch", "next_offset", "cluster_id")

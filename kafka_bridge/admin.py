"""The bridge in the admin: what waits, what came, what failed, and a replay of what failed."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from kafka_bridge import replay
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage, PartitionLog
from resume_platform.admin import ModelAdmin, ReadOnly, TabularInline


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


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "source", "reason", "topic", "partition", "offset", "created_at",
                    "replayed_at")  # fmt: skip
    list_filter = ("source", "reason", "topic")
    exclude = ("key", "value", "headers")
    actions = ("replay_selected",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("kafka_bridge.change_deadletter")

    @admin.action(description="Replay the selected dead letters", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: Any) -> None:
        replayed = [letter for letter in queryset if replay.replay(letter)]
        self.message_user(request, f"{len(replayed)} of {len(queryset)} will be tried again.")
        if len(replayed) < len(queryset):
            self.message_user(
                request,
                "What could not be read as an event, or was replayed already, was left as it is.",
                messages.WARNING,
            )

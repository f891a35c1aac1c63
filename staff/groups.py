"""The two groups of staff, and what each may do.

`migrate` makes them and brings their permissions to just this; for other rights make another group.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

REVIEWERS = "Reviewers"
OPERATORS = "Operators"

_READ = (
    "accounts.view_user",
    "uploads.view_resume",
    "uploads.view_requirements",
    "uploads.view_processing",
    "ai.view_rubric",
    "ai.view_analysis",
    "ai.view_providercall",
    "storage.view_storeduser",
    "storage.view_storedresume",
    "storage.view_storedrequirements",
    "storage.view_storedprocessing",
    "notifications.view_callback",
    "notifications.view_callbackattempt",
    "kafka_bridge.view_deadletter",  # without the texts, which `kafka_bridge.view_payload` shows
)
PERMISSIONS: dict[str, tuple[str, ...]] = {
    REVIEWERS: (*_READ, "storage.export_processing"),
    OPERATORS: (
        *_READ,
        "admin.view_logentry",
        "accounts.erase_user",
        "ai.view_tombstone",
        "storage.view_tombstone",
        "notifications.view_tombstone",
        "kafka_bridge.view_inboxmessage",
        "kafka_bridge.view_outboxmessage",
        "kafka_bridge.view_messagetask",
        "kafka_bridge.view_partitionlog",
        "storage.judge_again",
        "storage.cancel_processing",
        "storage.delete_with_texts",
        "notifications.deliver_again",
        "kafka_bridge.replay_deadletter",
    ),
}


def ensure_groups(*, using: str, **signal: Any) -> None:
    """To be told of `post_migrate`, once the permissions of every app are there."""
    # Models cannot be imported before the apps are loaded.
    from django.contrib.auth.models import Group

    with transaction.atomic(using=using):
        for name, permissions in PERMISSIONS.items():
            group, _ = Group.objects.using(using).get_or_create(name=name)
            group.permissions.set(_existing(permissions, using))


def _existing(names: Iterable[str], using: str) -> list[Any]:
    """Those of an app that is left out do not exist."""
    from django.contrib.auth.models import Permission

    wanted = set(names)
    known = Permission.objects.using(using).select_related("content_type")
    return [one for one in known if f"{one.content_type.app_label}.{one.codename}" in wanted]

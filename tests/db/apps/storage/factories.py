"""Events as they come out of the inbox, and a delivery that treats bad ones as the bridge does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.db import transaction

from apps.storage.projection import projector
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    Event,
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewRequirements,
    NewResume,
    NewSending,
    NewUser,
    SendingResponse,
)
from kafka_bridge.tasks import Permanent, Received

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


class NewUserFactory(factory.Factory):
    class Meta:
        model = NewUser

    user_id = 1
    username = factory.LazyAttribute(lambda event: f"user{event.user_id}@example.com")
    full_name = "Анна Соколова"
    created_at = EPOCH


class NewResumeFactory(factory.Factory):
    class Meta:
        model = NewResume

    resume_id = 30
    user_id = 1
    resume = "Python, 5 лет"


class NewRequirementsFactory(factory.Factory):
    class Meta:
        model = NewRequirements

    requirements_id = 40
    user_id = 1
    requirements = "Нужен Python"


class NewRequestFactory(factory.Factory):
    class Meta:
        model = NewRequest

    callback_url = "https://client.example/hook"
    processing_id = 20
    user_id = 1
    resume_id = 30
    requirements_id = 40
    requirements = "Нужен Python"
    resume = "Python, 5 лет"


class NewProcessingFactory(factory.Factory):
    class Meta:
        model = NewProcessing

    processing_id = 20
    user_id = 1
    resume_id = 30
    requirements_id = 40
    score = 85
    matches = ["Python"]
    recommendation = "Позвать на встречу"
    verdict = "Подходит"


class SendingResponseFactory(factory.Factory):
    class Meta:
        model = SendingResponse

    callback_url = "https://client.example/hook"
    processing_id = 20
    user_id = 1
    resume_id = 30
    requirements_id = 40
    score = 85
    matches = ["Python"]
    recommendation = "Позвать на встречу"
    verdict = "Подходит"


class NewSendingFactory(factory.Factory):
    class Meta:
        model = NewSending

    success = True
    response = factory.SubFactory(SendingResponseFactory)


class FailedSendingFactory(factory.Factory):
    class Meta:
        model = NewSending

    success = False
    response = factory.SubFactory(
        SendingResponseFactory, score=None, matches=None, recommendation=None, verdict=None
    )
    message_error = "The AI is not available."


class NewNotificationsFactory(NewSendingFactory):
    class Meta:
        model = NewNotifications


class DeleteProcessingFactory(factory.Factory):
    class Meta:
        model = DeleteProcessing

    processing_ids = [20]
    user_id = 1


class DeleteRequirementsFactory(factory.Factory):
    class Meta:
        model = DeleteRequirements

    processings_ids: list[int] = []
    requirements_ids = [40]
    user_id = 1


def received(event: Event, seconds: float = 0) -> Received:
    return Received(event=event, message_id=0, occurred_at=at(seconds), content_hash=b"")


def deliver(batch: Sequence[Received]) -> list[Received]:
    """Apply a batch, halving around what is refused, as the bridge does; returns the refused."""
    if not batch:
        return []
    try:
        with transaction.atomic():
            projector.apply(batch)
    except Permanent:
        if len(batch) == 1:
            return list(batch)
        half = len(batch) // 2
        return deliver(batch[:half]) + deliver(batch[half:])
    return []


def tell(*events: Event, seconds: float = 0) -> list[Received]:
    """Deliver each event as a batch of its own, a second apart."""
    refused: list[Received] = []
    for offset, event in enumerate(events):
        refused += deliver([received(event, seconds + offset)])
    return refused


def owners(rows: Any, id_name: str) -> dict[int, Any]:
    """The row of each id's owner, without its surrogate key."""
    found: dict[int, Any] = {}
    for row in rows.order_by(id_name, "create_at", "user_id").values():
        row.pop("id")
        found.setdefault(row[id_name], row)
    return found

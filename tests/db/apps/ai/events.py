"""Requests to judge, and what was told of them."""

from typing import Any

from kafka_bridge.contract import codec
from kafka_bridge.contract.events import Event, NewRequest
from kafka_bridge.models import OutboxMessage

REQUIREMENTS = "Требования:\n- Python\n- PostgreSQL\n- английский B2\nБудет плюсом:\n- Kafka"
RESUME = "Опыт работы\n2020 — 2024 Разработчик\nPython, PostgreSQL и Kafka\nАнглийский — B2"
OWNER, STRANGER = 7, 8


def request(processing_id: int = 1, **changes: Any) -> NewRequest:
    values: dict[str, Any] = {
        "callback_url": "https://client.example/hook",
        "processing_id": processing_id,
        "user_id": OWNER,
        "resume_id": 30,
        "requirements_id": 40,
        "requirements": REQUIREMENTS,
        "resume": RESUME,
    }
    return NewRequest(**values | changes)


def sent(event_type: type[Event]) -> list[Any]:
    rows = OutboxMessage.objects.filter(key=event_type.key).order_by("id")
    return [codec.decode(row.topic, row.key.encode(), bytes(row.value)) for row in rows]

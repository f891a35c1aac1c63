"""/health/ready: which part does not work, and why, so that the culprit stands out."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from kafka_bridge.tasks.registry import load_handlers
from resume_platform.observability import liveness, readiness
from resume_platform.observability.readiness import Part, State, judge

FRESH = dict.fromkeys(("bridge", "kafka", "relay", "intake", "dispatcher", "worker-ai"), 1.0)
STALE = liveness.SILENT_AFTER + 2


def judged(ages: Mapping[str, float] | None, *, is_database_up: bool = True) -> dict[str, Part]:
    parts = judge(ages, is_database_up=is_database_up, workers=["worker-ai"])
    return {part.name: part for part in parts}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"kafka": True, "bridge": True, "worker-ai": True}),
        ({"worker-ai": STALE}, {"kafka": True, "bridge": True, "worker-ai": False}),
        ({"kafka": STALE}, {"kafka": False, "bridge": True, "worker-ai": True}),
        # Kafka is its fault that the intake stands still.
        ({"kafka": STALE, "intake": STALE}, {"kafka": False, "bridge": True, "worker-ai": True}),
        ({"relay": STALE}, {"kafka": True, "bridge": False, "worker-ai": True}),
        ({"intake": STALE}, {"kafka": True, "bridge": False, "worker-ai": True}),
        ({"dispatcher": STALE}, {"kafka": True, "bridge": False, "worker-ai": True}),
        # Without any bridge nobody knows of Kafka.
        (
            dict.fromkeys(("bridge", "kafka", "relay", "intake", "dispatcher"), STALE),
            {"kafka": None, "bridge": False, "worker-ai": True},
        ),
    ],
    ids=str,
)
def test_the_culprit_is_named_and_what_hangs_on_it_is_not(
    changes: dict[str, float], expected: dict[str, bool | None]
) -> None:
    parts = judged(FRESH | changes)
    assert {name: part.is_up for name, part in parts.items()} == expected
    assert all(bool(part.sentence) != bool(part.is_up) for part in parts.values())


def test_a_relay_that_lost_the_database_is_not_the_bridges_fault() -> None:
    assert judged(FRESH | {"relay": STALE}, is_database_up=False)["bridge"].is_up


def test_without_redis_nothing_is_known_of_those_who_leave_their_signs_there() -> None:
    assert {part.is_up for part in judged(None).values()} == {None}


def test_who_was_never_seen_is_down() -> None:
    parts = judged({})
    assert parts["bridge"].is_up is parts["worker-ai"].is_up is False


def test_each_queue_that_has_handlers_has_its_workers_watched(settings: Any) -> None:
    queues = {spec.queue for spec in load_handlers().values()}
    assert set(liveness.expected_workers()) == {liveness.worker(queue) for queue in queues}
    settings.ENABLED_APPS = ["auth", "storage"]
    assert liveness.expected_workers() == ["worker-storage"]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Part]]:
    parts: list[Part] = []
    monkeypatch.setattr(readiness, "look", lambda: State(parts, {}))
    return parts


def test_it_is_200_while_all_that_is_needed_works(client: Client, found: list[Part]) -> None:
    found += [Part("database", True), Part("flower", False, readiness.NO_ANSWER, needed=False)]
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "OK",
        "parts": {
            "database": {"status": "OK"},
            "flower": {"status": "down", "reason": "No answer."},
        },
    }


def test_it_is_503_with_a_reason_in_the_readers_language(client: Client, found: list[Part]) -> None:
    found += [
        Part("redis", True),
        Part("worker-ai", False, readiness.SILENT, seconds=12),
        Part("kafka", None, readiness.WITHOUT_BRIDGE),
    ]
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "detail": "Not ready: worker-ai.",
        "code": "not_ready",
        "parts": {
            "redis": {"status": "OK"},
            "worker-ai": {"status": "down", "reason": "No sign of life for 12 s."},
            "kafka": {"status": "unknown", "reason": "Not known while no bridge runs."},
        },
    }
    russian = client.get("/health/ready", headers={"Accept-Language": "ru"}).json()
    assert russian["detail"] == "Не готовы: worker-ai."
    assert "12" in russian["parts"]["worker-ai"]["reason"]


@pytest.mark.django_db
def test_a_server_that_is_away_is_named_without_its_address(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "look", readiness._Watch().look)
    settings.DATABASE_URL = "postgresql://secret-user:secret-word@127.0.0.1:9/none"
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == {"status": "down", "reason": "No answer."}
    assert answer.json()["parts"]["redis"] == {"status": "OK"}
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text


def test_the_servers_are_asked_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def answers() -> bool:
        asked.append(1)
        return True

    monkeypatch.setattr(readiness, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(readiness, "database_answers", answers)
    watch = readiness._Watch()
    assert [watch.look() for _ in range(5)] == [watch.look()] * 5
    assert len(asked) == 1

"""Any app can be somebody else's: the system starts without it and the others do their part."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import psycopg2
import pytest
import requests
from confluent_kafka import Producer

from devstack.stack import Stack
from tests.stack.system.client import REQUIREMENTS, RESUME, ApiClient, Processing, wait_for
from tests.support.commands import manage
from tests.support.paths import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

APPS = ("auth", "uploads", "ai", "storage", "notifications")
STALLED_SECONDS = 6.0

Start = Callable[..., Stack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the system without one of its apps."""
    stacks: list[Stack] = []

    def without(app: str, **environment: str) -> Stack:
        enabled = ",".join(name for name in APPS if name != app)
        env = {"ENABLED_APPS": enabled, "KAFKA_SESSION_TIMEOUT_MS": "6000", **environment}
        stack = Stack(directory=tmp_path, isolated=True, env=env)
        stack.start()
        stacks.append(stack)
        manage(stack, "check")
        assert requests.get(stack.info["api"] + "/health", timeout=10).json() == {"status": "OK"}
        assert requests.get(stack.info["api"] + "/schema", timeout=30).status_code == 200
        return stack

    yield without
    for stack in stacks:
        stack.stop()


def query(stack: Stack, sql: str, *parameters: Any) -> list[Any]:
    connection = psycopg2.connect(stack.info["database_url"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    finally:
        connection.close()


def produce(stack: Stack, topic: str, key: str, value: dict[str, Any]) -> None:
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap_servers"]})
    producer.produce(topic, json.dumps(value), key.encode())
    assert producer.flush(10) == 0


def status_of(stack: Stack, processing_id: int) -> str | None:
    sql = "SELECT status FROM storage_storedprocessing WHERE processing_id = %s"
    rows = query(stack, sql, processing_id)
    return rows[0][0] if rows else None


@contextmanager
def foreign_ai(stack: Stack) -> Iterator[None]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.stack.system.foreign_ai",
            stack.info["kafka_bootstrap_servers"],
        ],
        cwd=ROOT,
        env=os.environ,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_without_ai_a_foreign_one_judges_and_a_silent_one_leaves_nobody_waiting(
    start: Start,
) -> None:
    stack = start("ai", STALLED_AFTER_MINUTES=str(STALLED_SECONDS / 60))
    client = ApiClient(stack.info)
    with foreign_ai(stack):
        processing = client.judge()
        body = json.loads(processing.callback()["body"])
        assert body["success"] is True
        assert body["response"]["score"] == 77
        assert wait_for(processing.stored)["score"] == 77

    began = time.monotonic()
    waiting = client.judge()
    callback = waiting.callback(seconds=90)
    assert time.monotonic() - began > 2 * STALLED_SECONDS, "a second chance came first"
    body = json.loads(callback["body"])
    assert callback["headers"]["x-error-notification"] == "true"
    assert body["processing_id"] == waiting.id
    assert "No result came in time" in body["error"]["message"]
    wait_for(lambda: status_of(stack, waiting.id) == "failed")
    [(runs,)] = query(
        stack,
        "SELECT array_agg(run ORDER BY run) FROM notifications_callback WHERE processing_id = %s",
        waiting.id,
    )
    assert runs == [0, 1, 2]

    with foreign_ai(stack):  # it comes back and answers what it had missed
        later = client.judge()
        assert "success" in later.callback()["body"]
        wait_for(lambda: status_of(stack, later.id) == "finished")
    wait_for(
        lambda: (
            not query(
                stack, "SELECT 1 FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased')"
            )
        )
    )
    assert status_of(stack, waiting.id) == "failed"
    assert len(waiting.callbacks()) == 1, "a result that comes too late is not called back"


def test_without_auth_foreign_tokens_are_accepted_by_their_signature(start: Start) -> None:
    stack = start("auth")
    api = stack.info["api"]
    assert requests.post(api + "/auth/login", json={}, timeout=10).status_code == 404

    key = stack.environment.values["JWT_SIGNING_KEY"]
    client = ApiClient.__new__(ApiClient)
    client.info, client.session, client.user_id = stack.info, requests.Session(), 4242
    client.session.headers["Authorization"] = f"Bearer {token(key)}"
    processing = client.judge()
    assert json.loads(processing.callback()["body"])["response"]["user_id"] == 4242
    assert wait_for(processing.stored)["user_id"] == 4242

    for bad in (
        token("another key that is just as long as the right one"),
        token(key, exp=time.time() - 1),
        token(key, sub="nobody"),
        token(key, token_type="refresh"),
        jwt.encode({"sub": "4242", "exp": time.time() + 60}, "", algorithm="none"),
    ):
        answer = requests.get(
            api + "/get_processing", headers={"Authorization": f"Bearer {bad}"}, timeout=10
        )
        assert answer.status_code == 401, bad


def token(key: str, **claims: Any) -> str:
    """As small as the contract allows: `sub` and an end."""
    return jwt.encode({"sub": "4242", "exp": time.time() + 600, **claims}, key, algorithm="HS256")


def test_without_uploads_a_foreign_services_events_are_judged(start: Start) -> None:
    stack = start("uploads")
    client = ApiClient(stack.info)
    assert client.session.post(stack.info["api"] + "/start_processing", json={}).status_code == 404
    ids = {"processing_id": 9_000_001, "user_id": client.user_id}
    ids |= {"resume_id": 9_000_002, "requirements_id": 9_000_003}
    user = {"user_id": client.user_id}
    produce(
        stack, "uploading_data", "new_resume", user | {"resume_id": 9_000_002, "resume": RESUME}
    )
    requirements = {"requirements_id": 9_000_003, "requirements": REQUIREMENTS}
    produce(stack, "uploading_data", "new_requirements", user | requirements)
    path = "/hook/foreign-uploads"
    request = ids | {"resume": RESUME, "requirements": REQUIREMENTS}
    request["callback_url"] = stack.info["callback_sink"] + path
    produce(stack, "AI_handler", "new_request", request)

    processing = Processing(client, 9_000_001, path)
    assert json.loads(processing.callback()["body"])["success"] is True
    stored = wait_for(processing.stored)
    assert (stored["status"], stored["resume_id"]) == ("finished", 9_000_002)
    [detail] = client.get("/get_processing_detail", processing_id=9_000_001).json()
    assert detail["resume"] == RESUME.strip()


def test_without_storage_judgements_are_called_back(start: Start) -> None:
    stack = start("storage")
    client = ApiClient(stack.info)
    assert json.loads(client.judge().callback()["body"])["success"] is True
    assert client.get("/get_processing").status_code == 404


def test_without_notifications_judgements_are_stored(start: Start) -> None:
    stack = start("notifications")
    processing = ApiClient(stack.info).judge()
    assert wait_for(processing.stored)["status"] == "finished"
    assert processing.callbacks() == []

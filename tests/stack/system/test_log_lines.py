"""One request's id leads through the logs of every process that worked for it."""

import json
import uuid
from typing import Any

import pytest
import requests

from tests.stack.system.client import wait_for

pytestmark = pytest.mark.e2e


def lines(stack: Any, process: str, request_id: str) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in stack.log(process).splitlines()]
    return [
        line
        for line in told
        if line.get("request_id") == request_id or request_id in line.get("request_ids", ())
    ]


def test_a_requests_id_is_in_the_lines_of_every_process_that_worked_for_it(stack, client):
    request_id = f"client-{uuid.uuid4().hex[:8]}"
    ids = client.upload()
    client.session.headers["X-Request-ID"] = request_id
    processing = client.start(ids)
    processing.callback()

    [access] = wait_for(lambda: lines(stack, "web", request_id))
    assert access["event"] == "http.request"
    assert (access["method"], access["route"], access["status"]) == (
        "POST",
        "/start_processing",
        200,
    )
    assert access["duration_ms"] > 0
    [settled] = [
        line
        for line in wait_for(lambda: lines(stack, "worker-ai", request_id))
        if line["event"] == "ai.settled"
    ]
    [called] = [
        line
        for line in wait_for(lambda: lines(stack, "worker-webhooks", request_id))
        if line["event"] == "callback.attempt"
    ]
    assert called["host"] == "127.0.0.1"
    for line in (access, settled, called):
        assert line["processing_id"] == processing.id
        assert line["user_id"] == client.user_id
    assert settled["event_id"] != called["event_id"]
    wait_for(lambda: lines(stack, "worker-storage", request_id))


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("two words", False),
        ("<script>", False),
        (None, False),
    ],
)
def test_an_answer_names_the_request(stack, sent, is_taken):
    headers = {"X-Request-ID": sent} if sent else {}
    answer = requests.get(stack.info["api"] + "/me", headers=headers, timeout=30)
    assert answer.status_code == 401
    named = answer.headers["X-Request-ID"]
    assert named == sent if is_taken else uuid.UUID(hex=named)
    [line] = wait_for(lambda: lines(stack, "web", named))
    assert (line["route"], line["status"]) == ("/me", 401)


def test_an_address_that_is_none_is_not_quoted(stack):
    answer = requests.get(stack.info["api"] + "/Some-Secret?token=Some-Secret", timeout=30)
    assert answer.status_code == 404
    [line] = wait_for(lambda: lines(stack, "web", answer.headers["X-Request-ID"]))
    assert line["route"] == "/unmatched"
    assert "Some-Secret" not in stack.log("web")

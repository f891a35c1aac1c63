"""Redis is killed in the middle of a run: every endpoint still answers as the contract says."""

from typing import Any

import pytest

from apps.storage.models import Status, StoredProcessing, StoredRequirements, StoredResume
from tests.stack.resume_platform.http.live import PASSWORD, Client, Server

NOW = "2026-11-21T12:00:00Z"
CALLBACK = "https://recruiter.example.com/cb"


def stored(user_id: int) -> None:
    """What the events would have told storage."""
    mine = {"user_id": user_id, "create_at": NOW}
    StoredResume.objects.create(resume_id=1, resume="Anna", text_hash="1", **mine)
    StoredRequirements.objects.create(
        requirements_id=1, requirements="Python", text_hash="2", **mine
    )
    StoredProcessing.objects.create(
        processing_id=1,
        resume_id=1,
        requirements_id=1,
        status=Status.FINISHED,
        score=85,
        matches=["Python"],
        **mine,
    )


def everything(server: Server, user: Client, name: str) -> dict[str, int]:
    """The status of each endpoint of the contract, for a user who has not started too much."""
    statuses: dict[str, int] = {}

    def send(client: Client, method: str, path: str, **kwargs: Any) -> Any:
        answer = client.request(method, path, **kwargs)
        statuses[f"{method} {path}"] = answer.status_code
        return answer.json() if answer.status_code < 300 else {}

    guest = server.client()
    account = {"username": f"{name}@example.com", "password": PASSWORD}
    send(guest, "POST", "/auth/register", json=account)
    pair = send(guest, "POST", "/auth/login", json=account)
    send(
        guest, "POST", "/auth/refresh_token", json={"refresh_token": pair.get("refresh_token", "x")}
    )
    file = {"file": ("cv.txt", b"Anna")}
    ids = send(user, "POST", "/create_resume/text", json={"resume": "Anna"})
    send(user, "POST", "/create_resume/file", files=file)
    ids |= send(user, "POST", "/create_requirements/text", json={"requirements": "Python"})
    send(user, "POST", "/create_requirements/file", files=file)
    started = send(user, "POST", "/start_processing", json={**ids, "callback_url": CALLBACK})
    processings = {"processings_ids": [started.get("processing_id", 1)]}
    requirements = {"requirements_ids": [ids.get("requirements_id", 1)]}
    send(user, "POST", "/delete_processing", json=processings)
    send(user, "DELETE", "/delete_processing", json=processings)
    send(user, "DELETE", "/delete_requirements", json=requirements)
    send(user, "POST", "/delete_requirements", json=requirements)
    for path in (
        "/me",
        "/get_resume?resume_id=1",
        "/get_requirements?requirements_id=1",
        "/get_processing",
        "/get_processing_detail?processing_id=1",
        "/webhook_secret",
        "/health/live",
        "/schema",
        "/docs",
        "/metrics",
        "/health",
    ):
        answer = user.get(path)
        statuses[f"GET {path}"] = answer.status_code
    leaving = server.login(server.register(f"leaving-{name}@example.com"))
    send(leaving, "POST", "/auth/logout")
    statuses["after logout"] = leaving.get("/me").status_code
    return statuses


@pytest.mark.slow
def test_redis_stopped_in_the_middle_every_endpoint_answers_as_the_contract_says(
    server: Server,
) -> None:
    user = server.somebody()
    stored(user.get("/me").json()["user_id"])
    before = everything(server, user, "before")
    assert before.pop("GET /health") == 200

    server.kill_redis()
    try:
        during = everything(server, user, "during")
        away = server.client().get("/health").json()
        metrics = server.client().get("/metrics").text
    finally:
        server.start_redis()
    after = everything(server, user, "after")

    assert during.pop("GET /health") == 503
    assert away["code"] == "unavailable"
    assert after.pop("GET /health") == 200
    assert before == during == after
    assert set(before.values()) == {200, 201, 401}
    assert [name for name, status in before.items() if status == 401] == ["after logout"]
    for namespace in ("auth", "uploads", "storage"):
        assert f'redis_errors_total{{namespace="{namespace}"}}' in metrics

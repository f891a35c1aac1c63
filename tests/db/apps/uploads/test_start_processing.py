"""Starting a processing: one event per start, for owners only, three a minute."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.uploads.models import Processing, Requirements
from kafka_bridge.models import OutboxMessage
from resume_platform.observability.metrics import REDIS_ERRORS
from resume_platform.redis.cache import cache_for, counters_for
from tests.db.apps.uploads.conftest import client_of
from tests.db.apps.uploads.factories import RequirementsFactory, ResumeFactory
from tests.unit.apps.notifications.test_addresses import HOSTILE

pytestmark = pytest.mark.django_db
Sent = Callable[[], list[tuple[str, str, dict[str, Any]]]]
URL = "https://recruiter.example.com/callback?x=1"


def body(**changes: Any) -> dict[str, Any]:
    valid = {"callback_url": URL}
    for name, factory in (("resume_id", ResumeFactory), ("requirements_id", RequirementsFactory)):
        if name not in changes:
            valid[name] = factory().id
    return {**valid, **changes}


def start(api: APIClient, **changes: Any) -> Any:
    return api.post("/start_processing", body(**changes), "json")


def test_a_start_stores_and_announces_the_whole_request(api: APIClient, sent: Sent) -> None:
    resume, requirements = ResumeFactory(text="Анна"), RequirementsFactory(text="Python")

    answer = start(api, resume_id=resume.id, requirements_id=requirements.id)

    processing = Processing.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {"status": "Processing started", "processing_id": processing.id}
    [(topic, key, value)] = sent()
    assert (topic, key) == ("AI_handler", "new_request")
    assert {name: value[name] for name in value if name != "run"} == {
        "callback_url": URL,
        "processing_id": processing.id,
        "user_id": 1,
        "resume_id": resume.id,
        "requirements_id": requirements.id,
        "requirements": "Python",
        "resume": "Анна",
    }
    assert OutboxMessage.objects.get().partition_key == 1


def test_the_row_decides_over_a_cached_text(
    api: APIClient, stranger: APIClient, sent: Sent
) -> None:
    resume = ResumeFactory(text="of the row")
    entry = {"user_id": 1, "created_at": "2020-01-01T00:00:00+00:00", "text": "of another life"}
    cache_for("uploads").set(f"resume:{resume.id}", entry, 60)
    assert start(api, resume_id=resume.id).status_code == 200
    assert sent()[0][2]["resume"] == "of the row"

    entry = {"user_id": 2, "created_at": resume.created_at.isoformat(), "text": "of user 2"}
    cache_for("uploads").set(f"resume:{resume.id}", entry, 60)
    theirs = RequirementsFactory(user_id=2).id
    assert start(stranger, resume_id=resume.id, requirements_id=theirs).status_code == 403


@pytest.mark.parametrize("name", ["resume_id", "requirements_id"])
def test_what_belongs_to_another_is_403_and_what_is_not_there_404(
    api: APIClient, name: str
) -> None:
    factory = ResumeFactory if name == "resume_id" else RequirementsFactory

    assert start(api, **{name: factory(user_id=2).id}).status_code == 403
    assert start(api, **{name: 2**63 - 1}).status_code == 404
    assert not Processing.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_deleted_requirements_are_404(api: APIClient) -> None:
    requirements = RequirementsFactory(deleted_at="2026-01-01T00:00:00Z")

    answer = start(api, requirements_id=requirements.id)

    assert (answer.status_code, answer.json()["code"]) == (404, "requirements_not_found")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("resume_id", value) for value in (0, -1, 2**63, 1.5, "x", None, True, [1], "9" * 2000)],
        *[("requirements_id", value) for value in (0, 2**63, {})],
        *[("callback_url", value) for value in (None, "", 5, "ftp://example.com", "x" * 2049)],
        ("callback_url", "http://10.0.0.1/"),
        ("callback_url", "https://example.com/\x00"),
    ],
)
def test_invalid_fields_are_422_named_and_not_counted(
    api: APIClient, name: str, value: Any
) -> None:
    for _ in range(4):
        answer = start(api, **{name: value})
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == [name]

    assert start(api).status_code == 200


def test_no_hostile_spelling_of_a_callback_url_is_taken(api: APIClient, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []
    ids = body()
    # Spaces around it are no part of what a client sends; what is left is vetted.
    urls = [url.replace("{port}", "8080") for _, url in HOSTILE if url == url.strip()]
    assert len(urls) > 140
    for url in urls:
        answer = api.post("/start_processing", {**ids, "callback_url": url}, "json")
        assert answer.status_code == 422, url
        assert list(answer.json()["errors"]) == ["callback_url"]
    assert not Processing.objects.exists()


def test_a_callback_url_of_the_greatest_length_and_an_opened_network_are_taken(
    api: APIClient, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]

    assert start(api, callback_url="https://example.com/".ljust(2048, "x")).status_code == 200
    assert start(api, callback_url="http://127.0.0.1:8000/cb").status_code == 200


def test_three_a_minute_then_a_block_that_says_when(api: APIClient, stranger: APIClient) -> None:
    requirements = RequirementsFactory()
    refused = [start(api, requirements_id=2**62).status_code for _ in range(5)]
    assert refused == [404] * 5  # what cannot start does not count

    statuses = [start(api, requirements_id=requirements.id).status_code for _ in range(3)]
    blocked = start(api, requirements_id=requirements.id)

    assert statuses == [200] * 3
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_starts")
    assert 28 <= int(blocked.headers["Retry-After"]) <= 30
    mine = RequirementsFactory(user_id=2).id
    resume = ResumeFactory(user_id=2).id
    assert start(stranger, requirements_id=mine, resume_id=resume).status_code == 200
    assert Processing.objects.filter(user_id=1).count() == 3


def test_who_waits_for_retry_after_may_start_again(api: APIClient) -> None:
    for _ in range(4):
        answer = start(api)
    assert answer.status_code == 429
    counters = counters_for("uploads")

    counters.redis.pexpire(counters.name("start_processing_bloc:1"), 0)

    assert start(api).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_sixteen_starts_at_once_give_exactly_three() -> None:
    ids = {"resume_id": ResumeFactory().id, "requirements_id": RequirementsFactory().id}

    def one(_: int) -> int:
        try:
            return start(client_of(1), **ids).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(16)))

    assert sorted(statuses) == [200] * 3 + [429] * 13
    assert Processing.objects.count() == OutboxMessage.objects.count() == 3


@pytest.mark.usefixtures("redis_away")
def test_without_redis_starts_are_let_through_and_the_metric_rises(api: APIClient) -> None:
    before = REDIS_ERRORS.labels("uploads")._value.get()
    assert [start(api).status_code for _ in range(5)] == [200] * 5
    assert REDIS_ERRORS.labels("uploads")._value.get() >= before + 5
    assert Requirements.objects.exists()

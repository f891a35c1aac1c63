"""Deleting processings and requirements: the owner's only, once, and never half."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from apps.uploads import services
from apps.uploads.models import Processing, Requirements
from kafka_bridge.models import OutboxMessage
from resume_platform.http.errors import NotFound
from tests.db.apps.uploads.factories import ProcessingFactory, RequirementsFactory, ResumeFactory

pytestmark = pytest.mark.django_db
Sent = Callable[[], list[tuple[str, str, dict[str, Any]]]]


@pytest.mark.parametrize("method", ["delete", "post"])
@pytest.mark.parametrize("spelling", ["processings_ids", "processing_ids"])
def test_own_processings_are_deleted_once(
    api: APIClient, sent: Sent, method: str, spelling: str
) -> None:
    mine, other = [ProcessingFactory().id for _ in range(2)], ProcessingFactory(user_id=2).id
    kept = ProcessingFactory().id
    ids = {spelling: [*mine, mine[0], other, 2**62]}

    first = getattr(api, method)("/delete_processing", ids, "json")
    again = getattr(api, method)("/delete_processing", ids, "json")

    assert (first.status_code, first.json()) == (200, {"is_deleted": True})
    assert (again.status_code, again.json()) == (200, {"is_deleted": False})
    live = Processing.objects.filter(deleted_at=None).values_list("id", flat=True)
    assert set(live) == {other, kept}
    assert sent() == [
        ("uploading_data", "delete_processing", {"processing_ids": mine, "user_id": 1})
    ]


@pytest.mark.parametrize("method", ["delete", "post"])
def test_own_requirements_go_with_their_processings(
    api: APIClient, sent: Sent, method: str
) -> None:
    requirements, empty = RequirementsFactory(), RequirementsFactory()
    live = [ProcessingFactory(requirements=requirements).id for _ in range(2)]
    ProcessingFactory(requirements=requirements, deleted_at="2026-01-01T00:00:00Z")
    foreign = ProcessingFactory(user_id=2)
    ids = {"requirements_ids": [requirements.id, empty.id, foreign.requirements_id]}

    first = getattr(api, method)("/delete_requirements", ids, "json")
    again = getattr(api, method)("/delete_requirements", ids, "json")

    assert (first.status_code, first.json()) == (200, {"is_deleted": True})
    assert again.json() == {"is_deleted": False}
    assert Processing.objects.get(deleted_at=None) == foreign
    assert Requirements.objects.get(deleted_at=None) == foreign.requirements
    [(topic, key, value)] = sent()
    assert (topic, key) == ("uploading_data", "delete_requirements")
    assert value == {
        "processings_ids": live,
        "requirements_ids": [requirements.id, empty.id],
        "user_id": 1,
    }


def test_many_processings_are_announced_in_several_events(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "IDS_PER_EVENT", 2)
    requirements = RequirementsFactory()
    ids = [ProcessingFactory(requirements=requirements).id for _ in range(5)]

    services.delete_requirements(user_id=1, requirements_ids=[requirements.id])

    values = [value for _, _, value in sent()]
    assert [number for value in values for number in value["processings_ids"]] == ids
    assert {tuple(value["requirements_ids"]) for value in values} == {(requirements.id,)}
    assert len(values) == 3


@pytest.mark.parametrize(
    "ids",
    [None, 5, "1", [0], [-1], [2**63], ["x"], [None], [[1]], [1.5], list(range(1, 1002)), {"a": 1}],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("what", ["processing", "requirements"])
def test_what_is_no_list_of_at_most_a_thousand_ids_is_422(
    api: APIClient, what: str, ids: Any
) -> None:
    name = "processings_ids" if what == "processing" else "requirements_ids"
    for body in ({name: ids}, {}):
        answer = api.delete(f"/delete_{what}", body, "json")
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == [name]
    assert not OutboxMessage.objects.exists()


def test_a_thousand_ids_and_none_are_taken(api: APIClient) -> None:
    for ids in (list(range(1, 1001)), []):
        answer = api.delete("/delete_requirements", {"requirements_ids": ids}, "json")
        assert (answer.status_code, answer.json()) == (200, {"is_deleted": False})


def test_the_two_spellings_together_hold_a_thousand_ids(api: APIClient) -> None:
    halves = {"processings_ids": list(range(1, 601)), "processing_ids": list(range(601, 1202))}
    assert api.delete("/delete_processing", halves, "json").status_code == 422


@pytest.mark.django_db(transaction=True)
def test_a_start_that_meets_a_delete_never_leaves_a_live_processing_of_deleted_requirements() -> (
    None
):
    requirements, resume = RequirementsFactory(), ResumeFactory()
    ids = {"resume_id": resume.id, "requirements_id": requirements.id}
    outcome: list[str] = []

    def start_meanwhile() -> None:
        try:
            services.start_processing(user_id=1, callback_url="https://example.com", **ids)
            outcome.append("started")
        except NotFound:
            outcome.append("not found")
        finally:
            connection.close()

    starter = threading.Thread(target=start_meanwhile)
    with transaction.atomic():
        services.delete_requirements(user_id=1, requirements_ids=[requirements.id])
        starter.start()
        starter.join(0.5)
        assert starter.is_alive(), "the start did not wait for the delete"
    starter.join(10)

    assert outcome == ["not found"]
    assert not Processing.objects.filter(deleted_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_delete_waits_for_a_start_and_takes_its_processing_along(
    monkeypatch: pytest.MonkeyPatch, sent: Sent
) -> None:
    requirements, resume = RequirementsFactory(), ResumeFactory()
    ids = {"resume_id": resume.id, "requirements_id": requirements.id}
    holding, go_on = threading.Event(), threading.Event()

    def slow_take(*, user_id: int) -> None:
        holding.set()
        go_on.wait(10)

    monkeypatch.setattr(services.start_limit, "take_start", slow_take)

    def run(service: Callable[..., Any], **arguments: Any) -> threading.Thread:
        def body() -> None:
            try:
                service(user_id=1, **arguments)
            finally:
                connection.close()

        thread = threading.Thread(target=body)
        thread.start()
        return thread

    start = run(services.start_processing, callback_url="https://example.com", **ids)
    assert holding.wait(10)
    delete = run(services.delete_requirements, requirements_ids=[requirements.id])
    delete.join(0.5)
    assert delete.is_alive(), "the delete did not wait for the start"
    go_on.set()
    start.join(10)
    delete.join(10)

    processing = Processing.objects.get()
    assert processing.deleted_at is not None
    assert [key for _, key, _ in sent()] == ["new_request", "delete_requirements"]
    assert sent()[1][2]["processings_ids"] == [processing.id]

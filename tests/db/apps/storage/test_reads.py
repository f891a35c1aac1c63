"""The GET endpoints: shapes, statuses, owners, order, pages; the cache is never believed."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.storage.models import StoredProcessing
from apps.storage.reads import cache as storage_cache
from resume_platform.http.signature_authentication import Principal
from resume_platform.redis import cache as caching
from tests.db.apps.storage import factories as f
from tests.support.redis_keys import emptied

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[Any]:
    cache = caching.cache_for("storage")
    with emptied("storage"):
        yield cache


def client(user_id: int = 1) -> APIClient:
    api = APIClient()
    api.force_authenticate(user=Principal(id=user_id))
    return api


def get(path: str, user_id: int = 1, **query: Any) -> Any:
    return client(user_id).get(path, query)


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [item["processing_id"] for item in response.json()]


@pytest.fixture
def history() -> None:
    f.tell(
        f.NewResumeFactory(),
        f.NewRequirementsFactory(),
        f.NewProcessingFactory(processing_id=1, score=50),
        f.NewProcessingFactory(processing_id=2, score=90),
        f.NewProcessingFactory(processing_id=3, score=70, requirements_id=41),
        f.NewRequestFactory(processing_id=4),
        f.FailedSendingFactory(
            response=f.SendingResponseFactory(processing_id=5, score=None, matches=None)
        ),
        f.NewProcessingFactory(processing_id=6, user_id=2, requirements_id=42),
    )


ITEM = {
    "processing_id": 2,
    "resume_id": 30,
    "requirements_id": 40,
    "user_id": 1,
    "create_at": "2026-01-01T00:00:03Z",
    "score": 90,
    "verdict": "Подходит",
    "status": "finished",
}


def test_the_shapes_are_the_contracts(history: None) -> None:
    assert get("/get_resume", resume_id=30).json() == {
        "resume_id": 30,
        "user_id": 1,
        "resume": "Python, 5 лет",
    }
    requirements = [{"requirements_id": 40, "user_id": 1, "requirements": "Нужен Python"}]
    assert get("/get_requirements", requirements_id=40).json() == requirements
    assert get("/get_requirements").json() == requirements
    assert get("/get_processing", processing_id=2).json() == [ITEM]
    detail = ITEM | {
        "resume": "Python, 5 лет",
        "requirements": "Нужен Python",
        "matches": ["Python"],
        "recommendation": "Позвать на встречу",
        "details": None,
        "message_error": None,
        "wait_seconds": None,
    }
    assert get("/get_processing_detail", processing_id=2).json() == [detail]
    assert get("/get_processing_detail").json()[1] == detail


def test_lists_are_sorted_filtered_and_cut_into_pages(history: None) -> None:
    assert ids(get("/get_processing")) == [3, 2, 1]
    assert ids(get("/get_processing", order="asc")) == [1, 2, 3]
    assert ids(get("/get_processing", sort_by="score")) == [2, 3, 1]
    assert ids(get("/get_processing", sort_by="score", order="asc")) == [1, 3, 2]
    assert ids(get("/get_processing", requirements_id=40, sort_by="score")) == [2, 1]
    assert ids(get("/get_processing", status="queued")) == [4]
    assert ids(get("/get_processing", status="failed")) == [5]
    assert ids(get("/get_processing", status="all", sort_by="score")) == [2, 3, 1, 5, 4]
    page = get("/get_processing", limit=1, offset=1)
    assert ids(page) == [2]
    assert page.headers["X-Total-Count"] == "3"


def test_a_processing_that_is_not_finished_is_shown_when_asked_for(history: None) -> None:
    assert get("/get_processing", processing_id=4).status_code == 404
    assert get("/get_processing", processing_id=4, status="all").json()[0]["status"] == "queued"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/get_processing", {"processing_id": 1, "requirements_id": 40}, 400),
        ("/get_processing_detail", {"processing_id": 1, "requirements_id": 40}, 400),
        ("/get_processing", {"processing_id": 6}, 403),
        ("/get_processing_detail", {"processing_id": 6}, 403),
        ("/get_processing", {"processing_id": 99}, 404),
        ("/get_processing", {"requirements_id": 99}, 404),
        ("/get_processing", {"requirements_id": 42}, 404),
        ("/get_processing", {"processing_id": "x"}, 422),
        ("/get_processing", {"processing_id": 2**63}, 422),
        ("/get_processing", {"sort_by": "name"}, 422),
        ("/get_processing", {"limit": 0}, 422),
        ("/get_resume", {}, 422),
        ("/get_resume", {"resume_id": 99}, 404),
        ("/get_requirements", {"requirements_id": 99}, 404),
    ],
)
def test_a_wrong_question_gets_its_status(
    history: None, path: str, query: dict[str, Any], status: int
) -> None:
    assert get(path, **query).status_code == status


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/get_resume", {"resume_id": 30}),
        ("/get_requirements", {"requirements_id": 40}),
        ("/get_processing", {"processing_id": 2}),
        ("/get_processing_detail", {"processing_id": 2}),
        ("/get_processing", {"requirements_id": 40}),
    ],
)
def test_the_owner_is_checked_also_when_the_value_is_cached(
    history: None, path: str, query: dict[str, Any]
) -> None:
    assert get(path, **query).status_code == 200
    assert get(path, **query).status_code == 200
    stranger = get(path, user_id=2, **query)
    assert stranger.status_code == 403
    assert stranger.json()["code"] == "not_owner"
    assert APIClient().get(path, query).status_code == 401


def test_what_is_deleted_is_gone_whatever_the_cache_says(history: None) -> None:
    paths = [
        ("/get_requirements", {"requirements_id": 40}),
        ("/get_processing", {"processing_id": 2}),
        ("/get_processing_detail", {"processing_id": 2}),
    ]
    assert [get(path, **query).status_code for path, query in paths] == [200] * 3
    # The test's transaction never commits, so nothing is dropped: the worst case.
    f.tell(f.DeleteRequirementsFactory(requirements_ids=[40]), seconds=99)
    assert [get(path, **query).status_code for path, query in paths] == [404] * 3
    assert ids(get("/get_processing")) == [3]


def test_a_cached_value_serves_until_its_row_changes(history: None) -> None:
    get("/get_resume", resume_id=30)
    get("/get_processing_detail", processing_id=2)
    StoredProcessing.objects.update(recommendation="not read")
    cached = get("/get_processing_detail", processing_id=2).json()[0]
    assert cached["recommendation"] == "Позвать на встречу"
    f.tell(
        f.NewResumeFactory(resume="Go"),
        f.NewProcessingFactory(processing_id=2, score=10, recommendation="Нет", run=1),
        seconds=99,
    )
    assert get("/get_resume", resume_id=30).json()["resume"] == "Go"
    fresh = get("/get_processing_detail", processing_id=2).json()[0]
    assert (fresh["recommendation"], fresh["score"], fresh["resume"]) == ("Нет", 10, "Go")


def test_a_texts_key_is_for_neighbours_and_is_put_once_a_minute(
    history: None, empty_cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    get("/get_resume", resume_id=30)
    assert empty_cache.get("resume:30")["value"]["resume"] == "Python, 5 лет"
    empty_cache.delete("resume:30")
    assert get("/get_resume", resume_id=30).json()["resume"] == "Python, 5 лет"
    assert empty_cache.get("resume:30") is None

    monkeypatch.setattr(storage_cache, "KEPT_SECONDS", 0.0)
    get("/get_resume", resume_id=30)
    assert empty_cache.get("resume:30")["value"]["resume"] == "Python, 5 лет"


def test_a_texts_key_follows_its_row_at_once(history: None, empty_cache: Any) -> None:
    get("/get_resume", resume_id=30)
    f.tell(f.NewResumeFactory(resume="Go"), seconds=99)
    get("/get_resume", resume_id=30)
    assert empty_cache.get("resume:30")["value"]["resume"] == "Go"


@pytest.mark.django_db(transaction=True)
def test_a_deleted_text_does_not_stay_in_the_cache(history: None, empty_cache: Any) -> None:
    get("/get_requirements", requirements_id=40)
    get("/get_processing_detail", processing_id=2)
    assert len(list(empty_cache.redis.scan_iter("storage:*"))) == 2
    f.tell(f.DeleteRequirementsFactory(requirements_ids=[40]), seconds=99)
    assert not list(empty_cache.redis.scan_iter("storage:*"))


def test_reads_answer_without_redis(history: None, monkeypatch: pytest.MonkeyPatch) -> None:
    away = caching.Cache(caching.connect("redis://127.0.0.1:1/0"), "storage")
    monkeypatch.setattr("apps.storage.reads.cache.cache_for", lambda namespace: away)
    assert get("/get_resume", resume_id=30).status_code == 200
    assert get("/get_processing_detail", processing_id=2).json()[0]["resume"] == "Python, 5 лет"


def test_an_id_that_two_users_claimed_is_the_earlier_ones() -> None:
    f.tell(f.NewProcessingFactory(user_id=2, score=10), seconds=50)
    f.tell(f.NewProcessingFactory(user_id=1), seconds=1)
    assert ids(get("/get_processing", user_id=1)) == [20]
    assert ids(get("/get_processing", user_id=2)) == []
    assert get("/get_processing", user_id=2, processing_id=20).status_code == 403

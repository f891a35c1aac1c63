"""Section 3 of the contract, line by line: each app's keys in Redis."""

from typing import Any

import pytest
from redis import Redis
from rest_framework.test import APIClient

from apps.storage.models import StoredResume
from apps.storage.reads import cache as storage_cache
from resume_platform.redis import processed_marks
from resume_platform.redis.cache import cache_for, counters_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_redis")]
ANNA = {"username": "anna@example.com", "password": "correct-horse-battery"}
CALLBACK = "https://recruiter.example.com/cb"


@pytest.fixture
def anna() -> Any:
    client: Any = APIClient()
    client.user_id = client.post("/auth/register", ANNA, "json").json()["user_id"]
    token = client.post("/auth/login", ANNA, "json").json()["access_token"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def life(redis: Redis, name: str) -> int:
    return int(redis.ttl(name))  # type: ignore[arg-type]


def test_auth_keeps_the_users_public_data_for_30_minutes(anna: Any) -> None:
    anna.get("/me")
    entry = cache_for("auth").get(f"user:{anna.user_id}")
    assert entry["username"] == ANNA["username"]
    assert "password" not in str(entry)
    assert 1790 <= life(cache_for("auth").redis, f"auth:user:{anna.user_id}") <= 1800


def test_auth_keeps_failed_attempts_and_blocks_for_5_minutes(anna: Any) -> None:
    redis = counters_for("auth").redis
    for kind, attempts in (("login_failed", 4), ("login_block", 1)):
        for _ in range(attempts):
            APIClient().post("/auth/login", {**ANNA, "password": "wrong"}, "json")
        [name] = redis.scan_iter(f"auth:{kind}:*")
        assert 290 <= life(redis, name) <= 300


def test_uploads_keeps_resumes_for_an_hour_and_requirements_for_3_days(anna: Any) -> None:
    for kind, seconds in (("resume", 3600), ("requirements", 3 * 86_400)):
        id_ = anna.post(f"/create_{kind}/text", {kind: "text"}, "json").json()[f"{kind}_id"]
        entry = cache_for("uploads").get(f"{kind}:{id_}")
        assert (entry["text"], entry["user_id"]) == ("text", anna.user_id)
        name = f"uploads:{kind}:{id_}"
        assert seconds - 10 <= life(cache_for("uploads").redis, name) <= seconds


def test_uploads_counts_starts_for_60_seconds_and_blocks_for_30(anna: Any) -> None:
    ids = anna.post("/create_resume/text", {"resume": "x"}, "json").json()
    ids |= anna.post("/create_requirements/text", {"requirements": "x"}, "json").json()
    redis = counters_for("uploads").redis
    counter = f"uploads:start_processing:{anna.user_id}"
    block = f"uploads:start_processing_bloc:{anna.user_id}"
    for _ in range(3):
        anna.post("/start_processing", {**ids, "callback_url": CALLBACK}, "json")
    assert redis.get(counter) == "3"
    assert 55 <= life(redis, counter) <= 60

    anna.post("/start_processing", {**ids, "callback_url": CALLBACK}, "json")

    assert 28 <= life(redis, block) <= 30


def test_storage_keeps_full_data_without_an_end(anna: Any) -> None:
    StoredResume.objects.create(
        resume_id=1,
        user_id=anna.user_id,
        resume="Anna",
        text_hash="1",
        create_at="2026-11-21T12:00Z",
    )
    anna.get("/get_resume", {"resume_id": 1})
    name = f"{storage_cache.NAMESPACE}:resume:1"
    assert life(cache_for("storage").redis, name) == -1


@pytest.mark.parametrize("app", ["ai", "notifications"])
def test_ai_and_notifications_keep_an_underscore_for_3_days(app: str) -> None:
    """That a judgement and a delivery set it: tests/ai and tests/notifications."""
    name = f"{app}:processed_messages:5"
    redis = cache_for(app).redis
    redis.delete(name)
    processed_marks.mark(app, 5)

    assert redis.get(name) == "_"
    assert 259_190 <= life(redis, name) <= 259_200


def test_every_app_has_a_namespace_of_its_own() -> None:
    apps = ("auth", "uploads", "storage", "ai", "notifications")
    assert len({cache_for(app).name("user:1") for app in apps}) == 5


def test_counters_live_in_redis_url_and_caches_in_cache_url(settings: Any) -> None:
    settings.REDIS_URL, settings.CACHE_URL = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"
    ports = [
        make("somebody").redis.connection_pool.connection_kwargs["port"]
        for make in (counters_for.__wrapped__, cache_for.__wrapped__)
    ]
    assert ports == [1, 2]

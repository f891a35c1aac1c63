"""What strangers may cost: bytes of bodies, sentences of errors, hashes, logins a minute."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password
from django.db import connection
from rest_framework.test import APIClient

from apps.auth import hashers
from apps.auth.models import User
from tests.db.apps.auth.factories import UserFactory
from tests.support.redis_keys import emptied

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture
def user() -> APIClient:
    client = APIClient()
    client.force_authenticate(UserFactory())
    return client


def login(name: str = "nobody@example.com", **meta: Any) -> Any:
    return APIClient().post("/auth/login", {"username": name, "password": "x"}, "json", **meta)


def delete(client: APIClient, ids: int) -> tuple[Any, int]:
    """The answer to a list of so many wrong ids, and the peak of memory on the way."""
    body = '{"processing_ids": [' + ",".join("0" * ids) + "]}"
    tracemalloc.start()
    try:
        answer = client.post("/delete_processing", body, content_type="application/json")
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_long_lists_are_refused_at_the_cost_of_their_bytes(user: APIClient) -> None:
    delete(user, 1)
    for ids in (2_000, 20_000, 40_000, 1_200_000):
        answer, peak = delete(user, ids)
        assert answer.status_code == (413 if ids > 40_000 else 422)
        assert len(answer.content) < 2_000
        assert peak < 1_000_000 + 40 * ids


def test_an_error_body_has_twenty_sentences_at_most(user: APIClient) -> None:
    answer, _peak = delete(user, 1_000)
    assert answer.status_code == 422
    assert sum(map(len, answer.json()["errors"].values())) == 20


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/refresh_token"])
def test_a_body_without_a_text_is_small(path: str) -> None:
    answer = APIClient().post(path, {"username": "x" * 100_000}, "json")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_form_is_as_small_as_json() -> None:
    form = "username=" + "x" * 100_000
    answer = APIClient().post("/auth/login", form, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_text_of_the_largest_size_is_taken_however_it_is_escaped(user: APIClient) -> None:
    text = "\N{GRINNING FACE}" * 15_000  # twelve bytes each
    assert user.post("/create_resume/text", {"resume": text}, "json").status_code == 200


@pytest.mark.parametrize("scope", ["login", "register"])
def test_an_address_has_so_many_attempts_a_minute(settings: Any, scope: str) -> None:
    setattr(settings, f"{scope.upper()}_PER_MINUTE", 2)

    def attempt(address: str) -> Any:
        return APIClient().post(f"/auth/{scope}", {}, "json", REMOTE_ADDR=address)

    with emptied("auth"):
        one_network = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3"]
        statuses = [attempt(address).status_code for address in one_network]
        blocked = attempt("2001:db8::4")
        assert statuses == [422, 422, 429]
        assert blocked.json()["code"] == "too_many_requests"
        assert 1 <= int(blocked.headers["Retry-After"]) <= 60
        assert attempt("2001:db8:0:1::1").status_code == 422
        assert attempt("203.0.113.9").status_code == 422


def test_passwords_cost_what_owasp_says_and_older_hashes_are_renewed() -> None:
    older = Argon2PasswordHasher().encode(PASSWORD, "some-salt-of-it")
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=older)

    answer = APIClient().post(
        "/auth/login", {"username": user.username, "password": PASSWORD}, "json"
    )

    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, user.password)


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory()
    hashed: list[str] = []
    place = hashers._place

    def counted() -> Any:
        hashed.append("")
        return place()

    monkeypatch.setattr(hashers, "_place", counted)
    assert login(user.username).status_code == 401
    known, hashed[:] = len(hashed), []
    assert login("nobody@example.com").status_code == 401
    assert known == len(hashed) == 1


@pytest.mark.django_db(transaction=True)
def test_of_24_strangers_at_once_few_hash_and_none_waits_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, most, lock, held = 0, 0, threading.Lock(), threading.Event()

    def encode(self: Any, password: str, salt: str) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        held.wait(30)
        with lock:
            now -= 1
        return "argon2$x"

    def one(number: int) -> Any:
        try:
            return login(f"stranger{number}@example.com")
        finally:
            connection.close()

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    with ThreadPoolExecutor(24) as pool:
        attempts = [pool.submit(one, number) for number in range(24)]
        try:
            while sum(it.done() for it in attempts) < 24 - hashers.HASHES_AT_ONCE:
                assert APIClient().get("/health/live").status_code == 200
        finally:
            held.set()
        answers = [it.result() for it in attempts]

    assert most == hashers.HASHES_AT_ONCE
    refused = [it for it in answers if it.status_code == 503]
    assert len(refused) == 24 - hashers.HASHES_AT_ONCE
    assert {(it.json()["code"], it.headers["Retry-After"]) for it in refused} == {("busy", "1")}


@pytest.mark.parametrize(
    "name",
    [
        "\u017fam@example.com",
        "\u0131an@example.com",
        "anna\u200b@example.com",
        "anna@ex\u200bample.com",
        "anna@\u017fite.com",
    ],
)
def test_a_name_that_looks_like_anothers_is_not_registered(name: str) -> None:
    body = {"username": name, "password": PASSWORD}
    answer = APIClient().post("/auth/register", body, "json")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["username"]


def test_who_registered_such_a_name_before_still_logs_in() -> None:
    name = "\u017fam@example.com"
    User.objects.create_user(name, PASSWORD)
    body = {"username": name, "password": PASSWORD}
    assert APIClient().post("/auth/login", body, "json").status_code == 200


def test_only_a_trusted_proxy_says_what_was_forwarded(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for name in ("PROTO", "SSL", "SCHEME"):
        for value in ("https", "on"):
            answer = APIClient().get("/me", **{f"HTTP_X_FORWARDED_{name}": value})
            assert answer.status_code == 301, name

"""Logging in, refreshing, logging out: which tokens are good, and until when."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import jwt
import pytest
from celery.exceptions import Retry
from django.conf import settings as django_settings
from django.db import connection, transaction
from rest_framework.test import APIClient

from apps.auth import user_cache
from apps.auth.models import Session, User
from apps.auth.tasks import renew_cached_user
from resume_platform.redis.cache import connect
from tests.db.apps.auth.factories import PASSWORD, UserFactory

Login = Callable[..., dict[str, str]]
Me = Callable[[str], Any]
pytestmark = pytest.mark.django_db


def refresh(token: str) -> Any:
    return APIClient().post("/auth/refresh_token", {"refresh_token": token}, "json")


def logout(token: str) -> Any:
    return APIClient().post("/auth/logout", HTTP_AUTHORIZATION=f"Bearer {token}")


def signed(**claims: Any) -> str:
    return jwt.encode(claims, django_settings.JWT_SIGNING_KEY, "HS256")


@pytest.mark.parametrize("content_type", ["json", "multipart"])
def test_a_login_by_json_or_form_gives_a_bearer_pair(api: APIClient, content_type: str) -> None:
    user = UserFactory()

    answer = api.post(
        "/auth/login", {"username": user.username.upper(), "password": PASSWORD}, content_type
    )

    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token", "token_type"}
    assert answer.json()["token_type"] == "bearer"


def test_a_urlencoded_login_works(api: APIClient) -> None:
    user = UserFactory()
    body = f"username={user.username}&password={PASSWORD}"

    answer = api.post("/auth/login", body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200


def test_any_service_with_the_key_can_read_the_access_token(login: Login) -> None:
    user = UserFactory()

    claims = jwt.decode(
        login(user)["access_token"], django_settings.JWT_SIGNING_KEY, algorithms=["HS256"]
    )

    assert claims["sub"] == str(user.id)
    assert claims["exp"] - claims["iat"] == 30 * 60


def test_me_shows_the_user(login: Login, me: Me) -> None:
    user = UserFactory(full_name=None)

    answer = me(login(user)["access_token"])

    assert answer.status_code == 200
    assert set(answer.json()) == {"user_id", "username", "full_name", "created_at"}
    assert (answer.json()["user_id"], answer.json()["full_name"]) == (user.id, None)


def test_a_request_costs_no_query_while_the_user_is_cached(
    login: Login, me: Me, django_assert_num_queries: Any
) -> None:
    token = login(UserFactory())["access_token"]
    me(token)

    with django_assert_num_queries(0):
        assert me(token).status_code == 200


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(api: APIClient) -> None:
    user, inactive = UserFactory(), UserFactory(is_active=False)
    answers = [
        api.post("/auth/login", {"username": name, "password": password}, "json")
        for name, password in [
            (user.username, "wrong"),
            ("nobody@example.com", PASSWORD),
            (inactive.username, PASSWORD),
        ]
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_both_login_paths_hash_exactly_once_with_the_same_parameters(
    api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    user, inactive = UserFactory(), UserFactory(is_active=False)
    hashed: list[tuple[str, Any]] = []
    real_hash, real_verify = argon2.low_level.hash_secret, argon2.PasswordHasher.verify

    def hash_secret(secret: bytes, salt: bytes, **cost: Any) -> bytes:
        hashed.append(("hash", (cost["time_cost"], cost["memory_cost"], cost["parallelism"])))
        return real_hash(secret, salt, **cost)

    def verify(self: argon2.PasswordHasher, encoded: str, password: str) -> bool:
        cost = argon2.extract_parameters(encoded)
        hashed.append(("verify", (cost.time_cost, cost.memory_cost, cost.parallelism)))
        return real_verify(self, encoded, password)

    monkeypatch.setattr("argon2.low_level.hash_secret", hash_secret)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    costs = []
    for name in (user.username, inactive.username, "nobody@example.com"):
        hashed.clear()
        answer = api.post("/auth/login", {"username": name, "password": "wrong"}, "json")
        assert answer.status_code == 401
        assert len(hashed) == 1, hashed
        costs.append(hashed[0][1])

    assert len(set(costs)) == 1


def test_a_sixth_login_ends_the_oldest_session(login: Login, me: Me) -> None:
    user = UserFactory()
    first, *others = [login(user) for _ in range(6)]

    assert Session.objects.active().filter(user=user).count() == 5
    assert refresh(first["refresh_token"]).status_code == 401
    assert me(first["access_token"]).status_code == 401
    assert me(others[0]["access_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_logins_at_once_leave_five_sessions(login: Login) -> None:
    user = UserFactory()
    for _ in range(5):
        login(user)

    def meanwhile() -> None:
        try:
            login(user)
        finally:
            connection.close()

    other = threading.Thread(target=meanwhile)
    with transaction.atomic():
        login(user)
        other.start()
        other.join(0.5)
        assert other.is_alive(), "the second login did not wait for the first"
    other.join(10)

    assert Session.objects.active().filter(user=user).count() == 5


def test_a_refresh_gives_a_new_pair_and_the_session_goes_on(login: Login, me: Me) -> None:
    old = login(UserFactory())

    new = refresh(old["refresh_token"])

    assert new.status_code == 200
    assert new.json()["refresh_token"] != old["refresh_token"]
    assert me(new.json()["access_token"]).status_code == 200
    assert refresh(new.json()["refresh_token"]).status_code == 200


def test_a_reused_refresh_token_ends_its_session_and_no_other(login: Login, me: Me) -> None:
    user = UserFactory()
    stolen, other = login(user), login(user)
    new = refresh(stolen["refresh_token"]).json()

    assert refresh(stolen["refresh_token"]).status_code == 401

    assert refresh(new["refresh_token"]).status_code == 401
    assert me(new["access_token"]).status_code == 401
    assert me(other["access_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_sixteen_uses_of_one_refresh_token_at_once_give_one_success(login: Login) -> None:
    token = login(UserFactory())["refresh_token"]

    def one(_: int) -> int:
        try:
            return refresh(token).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(16)))

    assert sorted(statuses) == [200] + [401] * 15


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "й"])
def test_an_unreadable_refresh_token_is_refused(token: str) -> None:
    assert refresh(token).status_code == (401 if token else 422)


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(login: Login, me: Me) -> None:
    pair = login(UserFactory())

    assert refresh(pair["access_token"]).status_code == 401
    assert me(pair["refresh_token"]).status_code == 401


def test_an_expired_session_cannot_be_refreshed(login: Login) -> None:
    token = login(UserFactory())["refresh_token"]
    Session.objects.update(expires_at="2020-01-01T00:00:00Z")

    assert refresh(token).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_logout_ends_every_session_and_its_access_tokens(login: Login, me: Me) -> None:
    user = UserFactory()
    pairs = [login(user) for _ in range(3)]
    bystander = login(UserFactory())
    assert all(me(pair["access_token"]).status_code == 200 for pair in pairs)

    answer = logout(pairs[0]["access_token"])

    assert not Session.objects.active().filter(user=user).exists()
    assert User.objects.get(id=user.id).session_version == user.session_version + 1
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    for pair in pairs:
        assert me(pair["access_token"]).status_code == 401
        assert refresh(pair["refresh_token"]).status_code == 401
    assert me(bystander["access_token"]).status_code == 200
    assert me(login(user)["access_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_reader_overtaken_by_a_logout_does_not_revive_the_token(
    login: Login, me: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory()
    token = login(user)["access_token"]
    stale = user_cache._read(user.id)
    logout(token)
    monkeypatch.setattr(user_cache, "_read", lambda user_id: stale)
    user_cache.renew(user.id)
    monkeypatch.undo()

    assert me(token).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_deactivated_user_and_a_changed_password_are_out_at_once(login: Login, me: Me) -> None:
    user, careless = UserFactory(), UserFactory()
    token, careless_pair = login(user)["access_token"], login(careless)
    assert me(token).status_code == me(careless_pair["access_token"]).status_code == 200

    user.is_active = False
    user.save()
    careless.set_password("another-long-password")
    careless.save()

    assert me(token).status_code == 401
    assert me(careless_pair["access_token"]).status_code == 401
    assert refresh(careless_pair["refresh_token"]).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_cached_user_that_could_not_be_dropped_is_dropped_by_a_retried_task(
    login: Login, me: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory()
    token = login(user)["access_token"]
    assert me(token).status_code == 200
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        "apps.auth.user_cache.current_app.send_task",
        lambda name, args, **kwargs: sent.append((name, args)),
    )
    with monkeypatch.context() as away:
        away.setattr(user_cache.cache_for("auth"), "redis", connect("redis://127.0.0.1:9/0"))
        user.is_active = False
        user.save()
        assert sent == [("accounts.renew_cached_user", [user.id])]
        with pytest.raises(Retry):  # Redis is still away
            renew_cached_user.apply(args=[user.id], throw=True)
    assert me(token).status_code == 200  # the cache was not told

    renew_cached_user.apply(args=sent[0][1], throw=True)

    assert me(token).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_logout_that_redis_never_heard_of_holds_after_a_minute(
    login: Login, me: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory()
    token = login(user)["access_token"]
    me(token)
    User.objects.filter(id=user.id).update(session_version=99)
    later = time.time() + user_cache.BELIEVED_SECONDS
    monkeypatch.setattr("apps.auth.user_cache.time.time", lambda: later)

    assert me(token).status_code == 401


@pytest.mark.usefixtures("redis_away")
def test_without_redis_everything_works(login: Login, me: Me) -> None:
    pair = login(UserFactory())

    assert me(pair["access_token"]).status_code == 200
    assert refresh(pair["refresh_token"]).status_code == 200
    assert logout(pair["access_token"]).status_code == 200
    assert me(pair["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x y",
        "Basic YTpi",
        "Bearer not.a.token",
        "Bearer \xff",
    ],
)
def test_a_bad_header_is_401_and_asks_for_a_bearer_token(api: APIClient, header: str) -> None:
    answer = api.get("/me", **({} if header is None else {"HTTP_AUTHORIZATION": header}))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert set(answer.json()) == {"detail", "code"}


def test_a_token_with_a_wrong_claim_is_401(login: Login, me: Me) -> None:
    user = UserFactory()
    good = jwt.decode(
        login(user)["access_token"], django_settings.JWT_SIGNING_KEY, algorithms=["HS256"]
    )
    assert me(signed(**good)).status_code == 200
    wrong: list[dict[str, Any]] = [
        {"sub": "0"},
        {"sub": str(2**63)},
        {"sub": "1" * 5000},
        {"sub": "٣"},
        {"sub": str(UserFactory().id)},
        {"ver": "1"},
        {"ver": None},
        {"sid": "x"},
        {"sid": None},
        *({"exp": exp} for exp in (10**18, 1e300, -(10**18), "soon", "1" * 5000, None)),
        {"iat": 10**18},
        {"nbf": 10**18},
        {"exp": int(time.time()) - 1},
        {"token_type": "refresh"},
    ]
    for change in wrong:
        assert me(signed(**{**good, **change})).status_code == 401, change
    assert me(jwt.encode(good, "x" * 40, "HS256")).status_code == 401
    assert me(jwt.encode(good, "", "none")).status_code == 401

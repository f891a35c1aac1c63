"""What sixteen clients at once can and cannot do, over real HTTP."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.stack.resume_platform.http.live import PASSWORD, Server

AT_ONCE = 16


def at_once(send: Callable[[], Any]) -> Counter[int]:
    """The statuses of sixteen requests that start together."""
    barrier = Barrier(AT_ONCE)

    def one(_: int) -> int:
        barrier.wait()
        return int(send().status_code)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(AT_ONCE)))


def test_sixteen_registrations_of_one_name_give_one_201(server: Server) -> None:
    spellings = iter(["anna@example.com", "Anna@Example.COM"] * AT_ONCE)

    statuses = at_once(
        lambda: server.client().post(
            "/auth/register", json={"username": next(spellings), "password": PASSWORD}
        )
    )

    # Those who wait too long for a turn to hash are told to come again.
    assert statuses.pop(503, 0) + statuses[409] == AT_ONCE - 1
    assert statuses[201] == 1


def test_sixteen_starts_of_one_user_give_exactly_three(server: Server) -> None:
    user = server.somebody()
    ids = user.post("/create_resume/text", json={"resume": "Anna"}).json()
    ids |= user.post("/create_requirements/text", json={"requirements": "Python"}).json()
    body = {**ids, "callback_url": "https://recruiter.example.com/cb"}
    token = user.headers["Authorization"]

    statuses = at_once(
        lambda: server.client().post(
            "/start_processing", json=body, headers={"Authorization": token}
        )
    )

    assert statuses == {200: 3, 429: 13}


def test_sixteen_uses_of_one_refresh_token_give_one_success(server: Server) -> None:
    token = server.tokens(server.register("anna@example.com"))["refresh_token"]

    statuses = at_once(
        lambda: server.client().post("/auth/refresh_token", json={"refresh_token": token})
    )

    assert statuses == {200: 1, 401: 15}


def test_sixteen_wrong_passwords_learn_no_more_than_five(server: Server) -> None:
    server.register("anna@example.com")
    body = {"username": "anna@example.com", "password": "wrong"}

    statuses = at_once(lambda: server.client().post("/auth/login", json=body))

    assert statuses == {401: 5, 429: 11}

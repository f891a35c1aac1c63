"""Strangers who log in together take nobody else's time."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from tests.stack.resume_platform.http.live import Client, Server


def test_twenty_four_logins_of_random_names_hold_up_nobody(server: Server) -> None:
    somebody, anybody = server.somebody(), server.client()

    def login(_: int) -> int:
        account = {"username": f"{secrets.token_hex(8)}@example.com", "password": "a wrong horse"}
        return int(server.client().post("/auth/login", json=account).status_code)

    def seconds(client: Client, path: str) -> float:
        began = time.monotonic()
        assert client.get(path).status_code == 200
        return time.monotonic() - began

    with ThreadPoolExecutor(24) as pool:
        logins = [pool.submit(login, number) for number in range(24)]
        live = seconds(anybody, "/health/live")
        read = seconds(somebody, "/me")
        statuses = [each.result() for each in logins]
    assert set(statuses) <= {401, 503}
    assert live < 1
    assert read < 2

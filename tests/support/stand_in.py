"""The stand-in as a server on a port of its own, in this process's threads."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from devstack.openai_standin.server import StandInServer


@dataclass
class StandIn:
    base: str

    @property
    def api_url(self) -> str:
        return f"{self.base}/v1"

    def order(self, **order: Any) -> dict[str, Any]:
        """POST /_control."""
        request = urllib.request.Request(
            f"{self.base}/_control", json.dumps(order).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def counters(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.base}/_control", timeout=5) as answer:
            return json.load(answer)["counters"]

    def calls(self, kind: str) -> int:
        return self.counters().get(f"kind:{kind}", 0)


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    server = StandInServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join(5)


@pytest.fixture(scope="session")
def stand_in_server() -> Iterator[StandIn]:
    with running_stand_in() as standin:
        yield standin


@pytest.fixture
def standin(stand_in_server: StandIn) -> StandIn:
    """Its orders and counters are cleared before each test."""
    stand_in_server.order(reset=True)
    return stand_in_server

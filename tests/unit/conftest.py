"""Unit tests start nothing and reach nothing: a connection fails the test that opens it."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_connections() -> Iterator[None]:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a unit test opened a connection: it belongs into tests/db or stack")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        yield

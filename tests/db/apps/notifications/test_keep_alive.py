"""Connections within a batch to one host: kept, checked, and never trusted too far."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.notifications.delivery import idle_connections, transport
from apps.notifications.delivery.transport import Answer, TransportError
from tests.db.apps.notifications.receiver import TLS, Receiver, says, sends
from tests.db.apps.notifications.test_transport import LOOPBACK

Start = Callable[..., Receiver]
STAYS = says(200, b"ok", stays=True)


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[idle_connections.IdleConnections]:
    """Connections of this test alone."""
    own = idle_connections.IdleConnections()
    monkeypatch.setattr(transport, "IDLE", own)
    yield own
    monkeypatch.setattr(idle_connections, "IDLE_SECONDS", 0)
    own.close_old()


def post(url: str, **options: Any) -> Answer:
    return transport.post(
        url, **{"allowed": LOOPBACK, "headers": {}, "body": b"{}", "timeout": 5.0} | options
    )


def test_a_batch_to_one_host_goes_over_one_connection(receive: Start) -> None:
    receiver = receive(STAYS)
    for _ in range(5):
        assert post(receiver.url) == Answer(200, None, "127.0.0.1", "ok")
    assert (len(receiver.requests), receiver.connections) == (5, 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 X\r\n\r\n",
    ],
)
def test_chunked_and_empty_answers_leave_it_open_too(receive: Start, answer: bytes) -> None:
    def behave(connection: socket.socket) -> bool:
        connection.sendall(answer)
        return True

    receiver = receive(behave)
    for _ in range(3):
        assert post(receiver.url).status in (200, 204)
    assert receiver.connections == 1


def test_it_works_inside_tls(receive: Start) -> None:
    receiver = receive(STAYS, tls=True)
    trusting = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    for _ in range(3):
        answer = post(
            f"https://receiver.test:{receiver.port}/",
            resolve=lambda host, port: ["127.0.0.1"],
            tls_context=trusting,
        )
        assert answer.status == 200
    assert (len(receiver.requests), receiver.connections) == (3, 1)


@pytest.mark.parametrize(
    "manner",
    [
        says(200, b"x" * 100_000, stays=True),
        sends(b"HTTP/1.0 200 X\r\n\r\n"),
        says(200),
    ],
    ids=["not read to its end", "HTTP/1.0", "Connection: close"],
)
def test_what_cannot_be_used_again_is_closed(receive: Start, manner: Any) -> None:
    receiver = receive(manner)
    for _ in range(2):
        assert post(receiver.url).status == 200
    assert receiver.connections == 2


def test_one_that_the_receiver_closed_costs_nothing(receive: Start) -> None:
    def answer_and_leave(connection: socket.socket) -> bool:
        STAYS(connection)
        return False

    receiver = receive(answer_and_leave)
    for _ in range(3):
        assert post(receiver.url).status == 200
        time.sleep(0.02)
    assert len(receiver.requests) == 3


def test_one_that_breaks_as_it_is_used_again_is_tried_anew_once(receive: Start) -> None:
    def leaves_after_reading(connection: socket.socket) -> bool:
        return False

    receiver = receive(STAYS, leaves_after_reading, STAYS, leaves_after_reading)
    assert post(receiver.url).status == 200
    assert post(receiver.url).status == 200
    assert receiver.connections == 2
    with pytest.raises(TransportError, match="connection_broken"):
        post(receiver.url)


def test_only_an_address_that_was_vetted_now_is_used_again(receive: Start) -> None:
    receiver = receive(STAYS)
    answers = [["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]]

    def call() -> Answer:
        url = f"http://client.test:{receiver.port}/"
        return post(url, resolve=lambda host, port: answers.pop(0))

    call()
    with pytest.raises(TransportError, match="connection_refused"):
        call()  # nobody listens there
    with pytest.raises(TransportError, match="forbidden_address"):
        call()
    assert len(receiver.requests) == 1


def test_each_use_has_its_own_deadline(receive: Start) -> None:
    receiver = receive(STAYS, sends(b"HTTP/1.1 200 OK\r\n", then=b"X-A: b\r\n", every=0.05))
    post(receiver.url, timeout=0.3)
    started = time.monotonic()
    with pytest.raises(TransportError, match="timeout"):
        post(receiver.url, timeout=0.6)
    assert 0.5 < time.monotonic() - started < 2
    assert receiver.connections == 1


def test_they_are_kept_for_seconds_only(
    receive: Start, kept: idle_connections.IdleConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receive(STAYS)
    post(receiver.url)
    monkeypatch.setattr(idle_connections, "IDLE_SECONDS", 0)
    assert not kept.close_old()
    post(receiver.url)
    assert receiver.connections == 2

"""One POST: what counts as an answer, when it ends, and where it may never go."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from apps.notifications.delivery import transport
from apps.notifications.delivery.transport import Answer, TransportError
from tests.db.apps.notifications.receiver import TLS, Manner, Receiver, resets, says, sends

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def post(url: str, timeout: float = 5, **options: Any) -> Answer:
    options = {"allowed": LOOPBACK, "headers": {"X-One": "1"}, "body": b"{}"} | options
    return transport.post(url, timeout=timeout, **options)


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 404, 408, 410, 429, 500, 503])
def test_every_status_is_an_answer_and_no_redirect_is_followed(
    receive: Callable[..., Receiver], status: int
) -> None:
    receiver = receive(says(status, Location="/elsewhere", Retry_After="7"))
    answer = post(receiver.url)
    assert (answer.status, answer.retry_after, answer.address) == (status, "7", "127.0.0.1")
    assert len(receiver.requests) == 1
    request = receiver.requests[0]
    assert (request.line, request.body) == ("POST /hook?key=secret HTTP/1.1", b"{}")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    "manner",
    [
        sends(b"HTTP/1.1 200 OK\r\n", then=b"X-A: b\r\n", every=0.05),
        sends(b"H", then=b"", every=0),
        sends(b"", then=b"\x00", every=0.05),
    ],
)
def test_a_dripping_receiver_holds_nobody_beyond_the_deadline(
    receive: Callable[..., Receiver], manner: Manner
) -> None:
    def then_silent(connection: Any) -> None:
        manner(connection)
        time.sleep(3)

    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        post(receive(then_silent).url, timeout=0.4)
    assert time.monotonic() - started < 2
    assert not caught.value.permanent


def test_a_drip_over_tls_ends_at_the_deadline_too(receive: Callable[..., Receiver]) -> None:
    receiver = receive(sends(b"HTTP/1.1 200 OK\r\n", then=b"X-A: b\r\n", every=0.05), tls=True)
    started = time.monotonic()
    with pytest.raises(TransportError, match="timeout"):
        post(
            f"https://receiver.test:{receiver.port}/",
            timeout=0.5,
            resolve=lambda host, port: ["127.0.0.1"],
            tls_context=ssl.create_default_context(cafile=str(TLS / "cert.pem")),
        )
    assert time.monotonic() - started < 2
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("drip", [b"", b"\x00"])
def test_a_handshake_that_stalls_or_drips_ends_at_the_deadline(drip: bytes) -> None:
    done = threading.Event()

    def greet_slowly() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 kB begins
                while not done.wait(0.05):
                    connection.sendall(drip)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=greet_slowly, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(TransportError, match="timeout") as caught:
            post(f"https://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.5)
        assert time.monotonic() - started < 2
        assert not caught.value.permanent
        done.set()


@pytest.mark.parametrize("status", [200, 301])
@pytest.mark.parametrize("every", [0.0, 0.05])
def test_an_endless_or_dripping_body_is_cut_and_the_status_counts(
    receive: Callable[..., Receiver], status: int, every: float
) -> None:
    head = b"HTTP/1.1 %d X\r\nLocation: /x\r\n\r\n" % status
    started = time.monotonic()
    answer = post(receive(sends(head, then=b"a" * 700, every=every)).url, timeout=0.8)
    assert time.monotonic() - started < 2
    assert answer.status == status
    assert set(answer.excerpt) <= {"a"}
    assert len(answer.excerpt) <= 1024


def test_at_most_64_kilobytes_are_read(receive: Callable[..., Receiver]) -> None:
    sent = threading.Event()

    def ten_megabytes(connection: Any) -> None:
        try:
            says(200, b"b" * 10_000_000)(connection)
            sent.set()
        finally:
            connection.close()

    assert post(receive(ten_megabytes).url).excerpt == "b" * 1024
    assert not sent.wait(0.2)


def test_endless_headers_are_cut_off_as_well(receive: Callable[..., Receiver]) -> None:
    sent = threading.Event()

    def megabytes_of_headers(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: %s\r\n" % (b"b" * 60_000) * 90)
        sent.set()

    with pytest.raises(TransportError, match="connection_broken"):
        post(receive(megabytes_of_headers).url)
    assert not sent.is_set()


def test_an_excerpt_can_be_stored_whatever_bytes_come(receive: Callable[..., Receiver]) -> None:
    assert post(receive(says(200, b"ok\x00\xff")).url).excerpt == "ok\ufffd"


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (resets, "connection_broken"),
        (sends(b""), "connection_broken"),
        (sends(b"nonsense\r\n\r\n"), "connection_broken"),
    ],
)
def test_no_answer_is_worth_another_try(
    receive: Callable[..., Receiver], manner: Manner, reason: str
) -> None:
    with pytest.raises(TransportError) as caught:
        post(receive(manner).url)
    assert (caught.value.reason, caught.value.permanent) == (reason, False)


def test_a_closed_port_is_refused(receive: Callable[..., Receiver]) -> None:
    receiver = receive()
    receiver.close()
    with pytest.raises(TransportError, match="connection_refused") as caught:
        post("http://127.0.0.1:1/")
    assert not caught.value.permanent


def test_the_next_vetted_address_is_tried_when_one_refuses(
    receive: Callable[..., Receiver],
) -> None:
    receiver = receive()
    answer = post(
        f"http://client.test:{receiver.port}/",
        resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"],
    )
    assert (answer.status, answer.address) == (200, "127.0.0.1")


def test_tls_keeps_the_name_and_checks_the_certificate(receive: Callable[..., Receiver]) -> None:
    receiver = receive(tls=True)
    trusting = ssl.create_default_context(cafile=str(TLS / "cert.pem"))

    def call(host: str, context: ssl.SSLContext | None) -> Answer:
        return post(
            f"https://{host}:{receiver.port}/",
            resolve=lambda host, port: ["127.0.0.1"],
            tls_context=context,
        )

    assert call("receiver.test", trusting).status == 200
    assert receiver.requests[0].headers["host"] == f"receiver.test:{receiver.port}"
    assert receiver.server_names == ["receiver.test"]
    for host, context in (("receiver.test", None), ("other.test", trusting)):
        with pytest.raises(TransportError, match="tls_failed"):
            call(host, context)
    assert len(receiver.requests) == 1


def test_the_proxy_of_the_environment_is_not_used(
    receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(receive().url).status == 200


def test_a_resolver_that_fails_or_hangs_costs_no_more_than_the_deadline() -> None:
    with pytest.raises(TransportError, match="name_not_resolved"):
        post("http://no-such-name.invalid/")

    def hang(host: str, port: int) -> Sequence[str]:
        time.sleep(3)
        return []

    started = time.monotonic()
    with pytest.raises(TransportError, match="name_not_resolved"):
        post("http://slow.test/", timeout=0.3, resolve=hang)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
        "fec0::1",
        "nonsense",
    ],
)
def test_a_forbidden_address_is_never_connected_to(
    receive: Callable[..., Receiver], address: str
) -> None:
    receiver = receive()
    for answers in ([address], ["93.184.216.34", address]):
        with pytest.raises(TransportError, match="forbidden_address") as caught:
            post(
                f"http://client.test:{receiver.port}/",
                allowed=(),
                resolve=lambda host, port, answers=answers: answers,
            )
        assert caught.value.permanent
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_no_spelling_of_loopback_gets_through(receive: Callable[..., Receiver], host: str) -> None:
    receiver = receive()
    with pytest.raises(TransportError, match="forbidden_address"):
        post(f"http://{host}:{receiver.port}/", allowed=())
    assert receiver.connections == 0


def test_a_name_is_resolved_once_so_its_second_answer_is_never_used(
    receive: Callable[..., Receiver],
) -> None:
    receiver = receive()
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    post(f"http://client.test:{receiver.port}/", resolve=lambda host, port: answers.pop(0))
    assert answers == [["10.0.0.1"]]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://a/", "http://", "http://a:99999/", "http://[/"]
)
def test_a_url_that_is_none_is_final(url: str) -> None:
    with pytest.raises(TransportError, match="bad_url") as caught:
        post(url)
    assert caught.value.permanent


def test_a_dns_answer_that_changes_between_lookups_is_asked_for_once(
    receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vetted address is public; the next lookup would lead to this machine."""
    victim = receive()
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    asked: list[str] = []
    connected: list[str] = []

    def lookup(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0)[0], victim.port))]

    def connect(address: tuple[str, int], *arguments: Any, **options: Any) -> Any:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(TransportError, match="connection_refused"):
        transport.post(
            f"http://client.test:{victim.port}/", body=b"", headers={}, timeout=2, allowed=()
        )
    assert asked == ["client.test"]
    assert connected == ["93.184.216.34"]
    with pytest.raises(TransportError, match="forbidden_address"):
        transport.post(
            f"http://client.test:{victim.port}/", body=b"", headers={}, timeout=2, allowed=()
        )
    assert connected == ["93.184.216.34"]
    assert victim.connections == 0

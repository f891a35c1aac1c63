"""What is not even HTTP is refused by the web server, which quotes nothing of it."""

import contextlib
import socket
from urllib.parse import urlsplit

import pytest

from tests.stack.resume_platform.http.live import Server

TOKEN = "Bearer nobody-may-read-this"
HEAD = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
MALFORMED = {
    "a line that is no request": ("nonsense\r\n\r\n", 400),
    "another protocol": ("\x16\x03\x01\x00\xa5\x01\r\n\r\n", 400),
    "HTTP/1.1 without a Host": ("GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "a header without a colon": (f"{HEAD}Authorization {TOKEN}\r\n\r\n", 400),
    "a header's name with a space": (f"{HEAD}A B: {TOKEN}\r\n\r\n", 400),
    "two lengths": (f"{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "an unknown transfer coding": (f"{HEAD}Transfer-Encoding: x\r\n\r\n", 501),
    "a chunk of no size": (
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        400,
    ),
    "a body that is far too large": (f"{HEAD}Content-Length: 99999999999\r\n\r\n", 413),
}


def answered(server: Server, sent: str) -> tuple[int, dict[str, str], str]:
    """(status, headers, body) of what comes back until the server closes the connection."""
    host, port = urlsplit(server.base).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(sent.encode("latin-1"))
        raw = b""
        while piece := connection.recv(65_536):
            raw += piece
    head, _, body = raw.decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in headers), body


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_http_is_refused_and_not_quoted(server: Server, kind: str) -> None:
    sent, status = MALFORMED[kind]

    found, headers, body = answered(server, sent)

    assert found == status
    assert headers["Content-Type"].startswith("text/plain")
    assert "nobody-may-read-this" not in body + server.log()
    assert "Traceback" not in body
    assert server.client().get("/health/live").status_code == 200


def test_a_head_that_is_too_large_ends_its_connection(server: Server) -> None:
    with contextlib.suppress(ConnectionResetError):  # what it had still to send was not read
        status, _headers, _body = answered(server, f"{HEAD}X: {'x' * 20_000}\r\n\r\n")
        assert status == 431
    assert server.client().get("/health/live").status_code == 200

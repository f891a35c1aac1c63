"""What is not even HTTP is answered by the web server, in the API's one shape of an error."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.api.live import Server

TOKEN = "Bearer nobody-may-read-this"
HEAD = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
MALFORMED = {
    "a line that is no request": ("nonsense\r\n\r\n", 400, "malformed_http"),
    "another protocol": ("\x16\x03\x01\x00\xa5\x01\r\n\r\n", 400, "malformed_http"),
    "an unknown version": ("GET / HTTP/9.9\r\n\r\n", 400, "malformed_http"),
    "a header without a colon": (f"{HEAD}Authorization {TOKEN}\r\n\r\n", 400, "malformed_http"),
    "a header's name with a space": (f"{HEAD}A B: {TOKEN}\r\n\r\n", 400, "malformed_http"),
    "two lengths": (f"{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed_http"),
    "an unknown transfer coding": (f"{HEAD}Transfer-Encoding: x\r\n\r\n", 400, "malformed_http"),
    "a chunk of no size": (
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        400,
        "malformed_http",
    ),
    "an address of 5,000 characters": (
        f"GET /{'x' * 5000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        414,
        "uri_too_long",
    ),
    "a header of 10,000 characters": (f"{HEAD}X: {'x' * 10_000}\r\n\r\n", 431, "headers_too_large"),
    "two hundred headers": (
        HEAD + "".join(f"X-{number}: x\r\n" for number in range(200)) + "\r\n",
        431,
        "headers_too_large",
    ),
    "an unknown expectation": (f"{HEAD}Expect: miracles\r\n\r\n", 417, "expectation_failed"),
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
def test_what_is_no_http_is_answered_in_the_one_shape(server: Server, kind: str) -> None:
    sent, status, code = MALFORMED[kind]

    found, headers, body = answered(server, sent)

    assert (found, json.loads(body)["code"]) == (status, code)
    assert set(json.loads(body)) == {"detail", "code"}
    assert headers["Content-Type"] == "application/json"
    assert "nobody-may-read-this" not in body + server.log()
    assert server.client().get("/health/live").status_code == 200

"""Whatever is sent, the answer is 4xx in the one shape of errors, over real HTTP."""

import socket
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.stack.resume_platform.http.live import Client, Server

JSON_PATHS = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh_token"),
    ("POST", "/create_resume/text"),
    ("POST", "/create_requirements/text"),
    ("POST", "/start_processing"),
    ("POST", "/delete_processing"),
    ("DELETE", "/delete_processing"),
    ("POST", "/delete_requirements"),
    ("DELETE", "/delete_requirements"),
]

BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/json"),
    "no json": (b"{", "application/json"),
    "null": (b"null", "application/json"),
    "a list": (b"[]", "application/json"),
    "a text": (b'"text"', "application/json"),
    "a number": (b"1" * 5_000, "application/json"),
    "not a number": (b'{"resume": NaN}', "application/json"),
    "a key twice": (b'{"resume": "a", "resume": "b"}', "application/json"),
    "deep nesting": (b'{"resume": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "application/json"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json"),
    "no utf-8": (b'{"resume": "\xff\xfe"}', "application/json"),
    "utf-16": ('{"resume": "a"}'.encode("utf-16"), "application/json"),
    "a codec that is none": (b'{"resume": "a"}', "application/json; charset=hex"),
    "a form": (b"resume=a", "application/x-www-form-urlencoded"),
    "a form in a codec that is none": (
        b"username=%ff&password=%ff",
        "application/x-www-form-urlencoded; charset=hex",
    ),
    "a broken multipart": (b"--x\r\nContent-Dis", "multipart/form-data; boundary=x"),
    "a multipart without a boundary": (b"x", "multipart/form-data"),
    "an endless boundary": (b"x", "multipart/form-data; boundary=" + "x" * 300),
    "no type": (b'{"resume": "a"}', ""),
    "a type that is none": (b"x", "nonsense;;;=;"),
    "an endless type": (b"{}", "application/" + "x" * 3000),
    "xml": (b"<a/>", "text/xml"),
}
VALUES: list[Any] = [
    *(None, True, "", " ", "a\x00b", "\ud800", "x" * 300_000, 0, -1, 2**63, 2**64, 10**400),
    *(1.5, 1e400, "1e5", "9" * 4000, "0x10", [], [[]], {}, {"a": {}}, [None], ["x"], [2**63]),
    *([1] * 1001, "٣" * 30, "\U000e0001", "' OR 1=1 --", "../../etc/passwd", "%00", "\r\nX: y"),
]
FIELDS = {
    "/auth/register": ("username", "password", "full_name"),
    "/auth/login": ("username", "password"),
    "/auth/refresh_token": ("refresh_token",),
    "/create_resume/text": ("resume",),
    "/create_requirements/text": ("requirements",),
    "/start_processing": ("requirements_id", "resume_id", "callback_url"),
    "/delete_processing": ("processings_ids", "processing_ids"),
    "/delete_requirements": ("requirements_ids",),
}
GOOD = {"username": "anna@example.com", "password": "correct-horse-battery", "resume_id": 1}
GOOD |= {"requirements_id": 1, "callback_url": "https://recruiter.example.com/cb"}


@pytest.fixture
def user(server: Server) -> Client:
    return server.somebody()


def check(answer: requests.Response, about: Any, *, allowed: Callable[[int], bool]) -> None:
    assert allowed(answer.status_code), (about, answer.status_code, answer.text[:300])
    if answer.status_code >= 400:
        body = answer.json()
        assert {"detail", "code"} <= set(body) <= {"detail", "code", "errors"}, about
        assert ("errors" in body) == (answer.status_code == 422), about
        assert "Traceback" not in answer.text


def refused(status: int) -> bool:
    return 400 <= status < 500


def not_broken(status: int) -> bool:
    return 200 <= status < 300 or refused(status)


def test_a_body_that_cannot_be_read_is_4xx(user: Client) -> None:
    for (method, path), (name, (body, content_type)) in product(JSON_PATHS, BODIES.items()):
        headers = {"Content-Type": content_type} if content_type else {}
        answer = user.request(method, path, data=body, headers=headers)
        # A login may be a form, and a codec's name is nothing to us.
        lenient = name in ("a codec that is none",) and path == "/create_resume/text"
        check(answer, (path, name), allowed=not_broken if lenient else refused)


def odd_fields() -> Iterator[tuple[str, str, Any]]:
    for path, names in FIELDS.items():
        for name in names:
            for value in VALUES:
                yield path, name, value


@pytest.mark.slow
def test_a_field_of_any_kind_is_no_500(user: Client) -> None:
    for path, name, value in odd_fields():
        body = {key: GOOD.get(key, "x") for key in FIELDS[path]} | {name: value}
        if path == "/delete_processing":
            body = {name: value}
        if path == "/auth/register":
            body["username"] = value if name == "username" else "nobody at all"
        try:
            answer = user.post(path, json=body)
        except requests.exceptions.InvalidJSONError:
            continue  # the client's own library refuses 1e400
        check(answer, (path, name, repr(value)[:50]), allowed=not_broken)


@pytest.mark.slow
def test_a_query_of_any_kind_is_no_500(user: Client) -> None:
    names = ("resume_id", "requirements_id", "processing_id", "limit", "offset", "sort_by")
    texts = ["", "0", "-1", str(2**63), str(2**64), "9" * 3500, "1.5", "%00", "%ff", "%ed%a0%80"]
    texts += ["x", "null", "true", "[]", "1&{0}=2", "%F0%9F%98%80", "1e9", "%2B1", "NaN"]
    for path in ("/get_resume", "/get_processing"):
        for name in (*names, "order", "status", "format", "lang", "unheard_of"):
            for text in texts:
                answer = user.get(f"{path}?{name}={text.format(name)}")
                check(answer, (path, name, text[:50]), allowed=not_broken)


def test_a_file_body_that_cannot_be_read_is_4xx(user: Client) -> None:
    path = "/create_resume/file"
    for name, (body, content_type) in BODIES.items():
        headers = {"Content-Type": content_type} if content_type else {}
        check(user.post(path, data=body, headers=headers), (path, name), allowed=refused)
    for name in (
        "",
        "a\x00.txt",
        "../../x.txt",
        "x" * 5000 + ".txt",
        "CON",
        "\ud800.txt",
        '"',
        "é.txt",
    ):
        part = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
            + name.encode("utf-8", "surrogatepass")
            + b'"\r\n\r\ntext\r\n--x--\r\n'
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        check(user.post(path, data=part, headers=headers), (path, name), allowed=not_broken)
    many = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(3000)
    )
    check(
        user.post(
            path, data=many + b"--x--", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ),
        "many fields",
        allowed=refused,
    )


def test_a_huge_json_body_is_413(user: Client) -> None:
    body = b'{"resume": "' + b"x" * 3_000_000 + b'"}'
    for method, path in JSON_PATHS:
        answer = user.request(method, path, data=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), path


def test_a_body_in_chunks_is_read_like_any_other(user: Client) -> None:
    def chunks(*parts: bytes) -> Iterator[bytes]:
        yield from parts

    headers = {"Content-Type": "application/json"}
    good = user.post(
        "/create_resume/text", data=chunks(b'{"resu', b'me": "Anna"}'), headers=headers
    )
    huge = user.post("/create_resume/text", data=chunks(*[b" " * 1_000_000] * 12), headers=headers)

    assert good.status_code == 200, good.text
    assert (huge.status_code, huge.json()["code"]) == (413, "body_too_large")


def test_bodies_are_utf_8_whatever_charset_they_claim(server: Server) -> None:
    account = {"username": "anna@example.com", "password": "пароль-длинный-9"}
    assert server.client().post("/auth/register", json=account).status_code == 201
    for charset in ("utf-8", "koi8-r", "hex", "no-such"):
        headers = {"Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
        answer = server.client().post("/auth/login", data=urlencode(account), headers=headers)
        assert answer.status_code == 200, (charset, answer.text)


def test_unknown_paths_and_methods_are_answered_in_json(user: Client) -> None:
    for path in ("/nowhere", "/me/", "/a%00b", "/%ff", "/" + "x" * 4000, "/get_resume/1"):
        answer = user.get(path)
        assert (answer.status_code, answer.json().get("code")) == (404, "not_found"), path
    for method, path in [
        ("GET", "/auth/login"),
        ("PUT", "/me"),
        ("PATCH", "/health"),
        ("POST", "/metrics"),
    ]:
        answer = user.request(method, path)
        check(answer, (method, path), allowed=lambda status: status == 405)
        assert answer.headers["Allow"]


def test_an_authorization_of_any_kind_is_401(server: Server) -> None:
    headers = ["Bearer", "Bearer  ", "Bearer \x80", "Basic YTpi", "bearer x", "Bearer a.b.c"]
    for header in [*headers, "Bearer " + "x" * 6000]:
        answer = server.client().get("/me", headers={"Authorization": header.encode("latin-1")})
        check(answer, header, allowed=lambda status: status == 401)


def test_what_is_no_http_ends_without_a_trace(server: Server) -> None:
    address = urlsplit(server.base)
    for raw in (
        b"\x16\x03\x01\x00\xa5",
        b"GET /\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /me HTTP/1.1\r\nHost: evil\r\n\r\n",
    ):
        with socket.create_connection((address.hostname, address.port), 5) as peer:
            peer.sendall(raw)
            peer.shutdown(socket.SHUT_WR)
            answer = peer.recv(65536)
        assert b"Traceback" not in answer
        assert not answer or b" 4" in answer.split(b"\r\n")[0], answer

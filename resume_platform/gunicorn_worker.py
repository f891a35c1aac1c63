"""The web server's own answers, to what is not even HTTP, in the API's one shape of an error."""

import contextlib
import json
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.util import write_nonblock

from resume_platform.gunicorn_threads import SelfServingThreads

log = structlog.get_logger(__name__)

# (status, code, sentence): English alone, for no header can be relied on.
Answer = tuple[int, str, str]
_DEFECT: Answer = (500, "server_error", "Something went wrong on our side.")
_BY_KIND: dict[type[Exception], Answer] = {
    InvalidResponseHeader: _DEFECT,
    InvalidResponseHeaderName: _DEFECT,
    LimitRequestLine: (414, "uri_too_long", "The address of the request is too long."),
    LimitRequestHeaders: (431, "headers_too_large", "The request's headers are too large."),
    ExpectationFailed: (417, "expectation_failed", "The expectation cannot be met."),
    ParseException: (400, "malformed_http", "The request is not valid HTTP."),
}


class Worker(SelfServingThreads):
    """Answers in JSON where gunicorn would in HTML that quotes the request, and logs no quotes.

    A malformed line may hold a token: the error's kind alone is logged.
    """

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        status, code, detail = next(
            (answer for kind, answer in _BY_KIND.items() if isinstance(exc, kind)), _DEFECT
        )
        say = log.error if status == HTTPStatus.INTERNAL_SERVER_ERROR else log.warning
        say("web.not_served", status=status, error=type(exc).__name__)
        with contextlib.suppress(OSError):  # the client has gone
            write_nonblock(client, _response(status, code, detail))


def _response(status: int, code: str, detail: str) -> bytes:
    body = json.dumps({"detail": detail, "code": code}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body

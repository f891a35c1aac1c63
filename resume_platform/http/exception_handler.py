"""The one place that turns an exception into an answer: `{"detail": sentence, "code": word}`."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from resume_platform.http.errors import (
    DomainError,
    Invalid,
    ServiceUnavailable,
    TooLarge,
    TooManyRequests,
)

log = structlog.get_logger(__name__)

# However much of a request is wrong.
MAX_SENTENCES = 20


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None means a defect: Django answers it with `server_error`."""
    if isinstance(error, DomainError):
        return _answer(error)
    if isinstance(error, RequestDataTooBig):
        return _answer(TooLarge(_("The request body is too large."), "body_too_large"))
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        return _answer(Invalid(_("The request has too many fields."), "too_many_fields"))
    if isinstance(error, Http404):
        return Response(_not_found_body(), status=404)
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        return _answer(
            Invalid(
                _("The request is not valid: see errors."),
                errors=_first_sentences(fields),
            )
        )
    if isinstance(error, exceptions.ParseError | exceptions.UnsupportedMediaType):
        return _answer(_unreadable_body(error, context))
    if isinstance(error, OperationalError | InterfaceError):
        log.error("request.database_away", error=type(error).__name__)
        return _answer(
            ServiceUnavailable(_("The database does not answer. Try again."), "unavailable")
        )
    if isinstance(error, exceptions.Throttled):
        return _answer(
            TooManyRequests(
                _("Too many requests. Try again later."),
                "too_many_requests",
                retry_after=math.ceil(getattr(error, "wait", None) or 1),
            )
        )
    if isinstance(error, exceptions.APIException):
        return _framework_error(error)
    return None


def _unreadable_body(error: exceptions.APIException, context: dict[str, Any]) -> Invalid:
    """Also for a media type that the endpoint does not read: clients know 422 for any bad body."""
    if isinstance(error, exceptions.UnsupportedMediaType):
        code, sentence = "unsupported_media_type", _("This Content-Type is not read here.")
    elif context["request"].content_type.startswith("multipart/"):
        code, sentence = "invalid_multipart", _("The body is not what its Content-Type says.")
    else:
        code, sentence = "invalid_json", _("The body is not what its Content-Type says.")
    return Invalid(_("The request body cannot be read."), code, errors={"body": [sentence]})


def _answer(error: DomainError) -> Response:
    body: dict[str, Any] = {"detail": error.detail, "code": error.code}
    headers = {}
    if isinstance(error, Invalid):
        body["errors"] = error.errors
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status=error.status_code, headers=headers)


def _framework_error(error: exceptions.APIException) -> Response:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else error.default_code
    # simplejwt raises a dict of detail and code; DRF a sentence.
    detail = error.detail.get("detail") if isinstance(error.detail, dict) else error.detail
    if isinstance(codes, dict):
        code = str(codes.get("code") or error.default_code)
    return Response(
        {"detail": str(detail), "code": code}, status=error.status_code, headers=headers
    )


def _first_sentences(fields: Mapping[Any, Any]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    pairs = ((str(name), sentence) for name in fields for sentence in _sentences(fields[name]))
    for name, sentence in islice(pairs, MAX_SENTENCES):
        errors.setdefault(name, []).append(sentence)
    return errors


def _sentences(detail: Any) -> Iterator[str]:
    if isinstance(detail, dict | list):
        for part in detail.values() if isinstance(detail, dict) else detail:
            yield from _sentences(part)
    else:
        yield str(detail)


def _not_found_body() -> dict[str, str]:
    return {"detail": _("There is nothing at this address."), "code": "not_found"}


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler404."""
    return JsonResponse(_not_found_body(), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler400, for requests that never reach a view."""
    return JsonResponse(
        {"detail": _("The request cannot be understood."), "code": "bad_request"}, status=400
    )


def server_error(request: HttpRequest) -> JsonResponse:
    """Django's handler500: says nothing about the inside."""
    return JsonResponse(
        {"detail": _("Something went wrong on our side."), "code": "server_error"}, status=500
    )

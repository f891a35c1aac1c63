"""What the OpenAPI document says beside the views' own serializers: errors, examples, bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers


class ErrorSerializer(serializers.Serializer):
    """Every error: a sentence for people, and a word for programs that never changes."""

    detail = serializers.CharField()
    code = serializers.CharField()


class InvalidSerializer(ErrorSerializer):
    errors = serializers.DictField(  # type: ignore[assignment]  # the wire's name
        child=serializers.ListField(child=serializers.CharField()),
        help_text="For each field that is wrong, what is wrong with it.",
    )


@dataclass(frozen=True)
class Problem:
    """One error that an endpoint may answer with."""

    status: int
    code: str
    detail: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def example(self) -> OpenApiExample:
        body: dict[str, Any] = {"detail": self.detail, "code": self.code}
        if self.errors:
            body["errors"] = {name: list(sentences) for name, sentences in self.errors.items()}
        return OpenApiExample(self.code, body, response_only=True, status_codes=[str(self.status)])


def invalid(name: str, sentence: str, code: str = "invalid") -> Problem:
    return Problem(422, code, "The request is not valid: see errors.", {name: [sentence]})


NO_TOKEN = Problem(401, "not_authenticated", "Authentication credentials were not provided.")
BAD_TOKEN = Problem(401, "invalid_token", "The access token is not valid.")
PROTECTED = (NO_TOKEN, BAD_TOKEN)
BODY_TOO_LARGE = Problem(413, "body_too_large", "The request body is too large.")
UNREADABLE = Problem(
    422,
    "invalid_json",
    "The request body cannot be read.",
    {"body": ["The body is not what its Content-Type says."]},
)
JSON_BODY = (BODY_TOO_LARGE, UNREADABLE)


def answers(
    success: Mapping[int, Any], *problems: Problem, example: Any = None
) -> dict[int, OpenApiResponse]:
    """The `responses` of an endpoint; `example` is what a success looks like."""
    result = {}
    for status, serializer in success.items():
        shown = [OpenApiExample("OK", example, response_only=True)] if example is not None else []
        result[status] = OpenApiResponse(serializer, HTTPStatus(status).phrase, shown)
    for status in sorted({problem.status for problem in problems}):
        result[status] = OpenApiResponse(
            InvalidSerializer if status == 422 else ErrorSerializer,
            HTTPStatus(status).phrase.replace("Unprocessable Content", "Unprocessable Entity"),
            [problem.example for problem in problems if problem.status == status],
        )
    return result


def request_example(body: Any) -> OpenApiExample:
    return OpenApiExample("Request", body, request_only=True)


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: what holds for every operation, and bodies of DELETE."""
    unavailable = Problem(503, "unavailable", "The database does not answer. Try again.")
    broken = Problem(500, "server_error", "Something went wrong on our side.")
    for operations in result["paths"].values():
        post = operations.get("post", {})
        for method, operation in operations.items():
            if method == "delete" and "requestBody" in post:
                operation.setdefault("requestBody", post["requestBody"])
            for problem in (broken, unavailable):
                operation["responses"].setdefault(str(problem.status), _plain(problem))
            for status, response in operation["responses"].items():
                if status == "429":
                    response.setdefault("headers", {})["Retry-After"] = {
                        "schema": {"type": "integer"},
                        "description": "Seconds until the next attempt can succeed.",
                    }
    return result


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "description": HTTPStatus(problem.status).phrase,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {
                    problem.code: {"value": {"detail": problem.detail, "code": problem.code}}
                },
            }
        },
    }

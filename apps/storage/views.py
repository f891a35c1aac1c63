"""GET endpoints: each validates its query, asks `queries` once and answers."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.storage import serializers
from apps.storage.reads import queries
from resume_platform.http.caller import user_id
from resume_platform.http.schema import PROTECTED, Problem, answers, invalid

TOTAL_HEADER = "X-Total-Count"
_TOTAL = OpenApiParameter(
    TOTAL_HEADER, int, OpenApiParameter.HEADER, response=True, description="Rows on all pages."
)

NOT_THERE = Problem(404, "not_found", "There is no such object.")
FORBIDDEN = Problem(403, "not_owner", "This object belongs to another user.")
TWO_FILTERS = Problem(400, "two_filters", "Give processing_id or requirements_id, not both.")
BAD_ID = invalid("resume_id", "A valid integer is required.")
RESUME = {"resume_id": 2, "user_id": 1, "resume": "Anna Petrova. Python, Django, five years."}
REQUIREMENTS = {"requirements_id": 1, "user_id": 1, "requirements": "Python, Django."}
ITEM = {
    "processing_id": 3,
    "resume_id": 2,
    "requirements_id": 1,
    "user_id": 1,
    "create_at": "2026-11-21T12:00:00Z",
    "status": "finished",
    "score": 85,
    "verdict": "Suitable",
}
DETAIL = {
    **ITEM,
    "resume": RESUME["resume"],
    "requirements": REQUIREMENTS["requirements"],
    "matches": ["Python", "Django"],
    "recommendation": "Meets what is asked for.",
    "details": None,
    "message_error": None,
    "wait_seconds": None,
}


def _read(
    summary: str, query: Any, item: Any, *problems: Problem, example: Any, many: bool = True
) -> Any:
    """The documentation of one read."""
    return extend_schema(
        tags=["results"],
        summary=summary,
        parameters=[query, _TOTAL] if many else [query],
        responses=answers(
            {200: item(many=True) if many else item},
            *(*PROTECTED, FORBIDDEN, NOT_THERE, BAD_ID, *problems),
            example=example,
        ),
    )


def _page_of(listing: queries.Listing) -> Response:
    return Response(listing.items, headers={TOTAL_HEADER: str(listing.total)})


class ResumeView(APIView):
    @_read(
        "One resume", serializers.ResumeQuery, serializers.ResumeItem, example=RESUME, many=False
    )
    def get(self, request: Request) -> Response:
        query = serializers.ResumeQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return Response(queries.get_resume(user_id=user_id(request), **query.validated_data))


class RequirementsView(APIView):
    @_read(
        "Requirements, one or all",
        *(serializers.RequirementsQuery, serializers.RequirementsItem),
        example=REQUIREMENTS,
    )
    def get(self, request: Request) -> Response:
        query = serializers.RequirementsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return _page_of(queries.get_requirements(user_id=user_id(request), **query.validated_data))


class ProcessingView(APIView):
    with_texts: ClassVar[bool] = False

    @_read(
        "Processings: one, a vacancy's, or all",
        *(serializers.ProcessingQuery, serializers.ProcessingItem, TWO_FILTERS),
        example=ITEM,
    )
    def get(self, request: Request) -> Response:
        query = serializers.ProcessingQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return _page_of(
            queries.list_processings(
                user_id=user_id(request), with_texts=self.with_texts, **query.validated_data
            )
        )


class ProcessingDetailView(ProcessingView):
    with_texts = True

    @_read(
        "Processings with texts and reasons",
        *(serializers.ProcessingQuery, serializers.ProcessingDetailItem, TWO_FILTERS),
        example=DETAIL,
    )
    def get(self, request: Request) -> Response:
        return super().get(request)

"""GET endpoints: each validates its query, asks `queries` once and answers."""

from typing import ClassVar, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.storage import queries, serializers

TOTAL_HEADER = "X-Total-Count"
_TOTAL = OpenApiParameter(
    TOTAL_HEADER, int, OpenApiParameter.HEADER, response=True, description="Rows on all pages."
)


def _page_of(listing: queries.Listing) -> Response:
    return Response(listing.items, headers={TOTAL_HEADER: str(listing.total)})


def _user_id(request: Request) -> int:
    # Every authentication class of ours sets a user with an id; the permission asks for one.
    return cast(int, request.user.id)


class ResumeView(APIView):
    @extend_schema(parameters=[serializers.ResumeQuery], responses=serializers.ResumeItem)
    def get(self, request: Request) -> Response:
        query = serializers.ResumeQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(queries.get_resume(user_id=_user_id(request), **query.validated_data))


class RequirementsView(APIView):
    @extend_schema(
        parameters=[serializers.RequirementsQuery, _TOTAL],
        responses=serializers.RequirementsItem(many=True),
    )
    def get(self, request: Request) -> Response:
        query = serializers.RequirementsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return _page_of(queries.get_requirements(user_id=_user_id(request), **query.validated_data))


class ProcessingView(APIView):
    with_texts: ClassVar[bool] = False

    @extend_schema(
        parameters=[serializers.ProcessingQuery, _TOTAL],
        responses=serializers.ProcessingItem(many=True),
    )
    def get(self, request: Request) -> Response:
        query = serializers.ProcessingQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return _page_of(
            queries.list_processings(
                user_id=_user_id(request), with_texts=self.with_texts, **query.validated_data
            )
        )


class ProcessingDetailView(ProcessingView):
    with_texts = True

    @extend_schema(
        parameters=[serializers.ProcessingQuery, _TOTAL],
        responses=serializers.ProcessingDetailItem(many=True),
    )
    def get(self, request: Request) -> Response:
        return super().get(request)

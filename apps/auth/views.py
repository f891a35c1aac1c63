"""The endpoints of accounts: each validates, calls one service, and returns."""

from typing import Any, cast

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth import services, tokens
from apps.auth.serializers import (
    LoginSerializer,
    RefreshSerializer,
    RegisterSerializer,
    StatusSerializer,
    TokenPairSerializer,
    UserSerializer,
)
from resume_platform.http.parsers import NoFiles, SmallFormParser, StrictJSONParser
from resume_platform.http.schema import (
    JSON_BODY,
    PROTECTED,
    Problem,
    answers,
    invalid,
    request_example,
)
from resume_platform.http.throttle import AddressThrottle

USER = {
    "user_id": 1,
    "username": "anna@example.com",
    "full_name": "Anna Petrova",
    "created_at": "2026-11-21T12:00:00Z",
}
CREDENTIALS = {"username": "anna@example.com", "password": "correct-horse-battery"}
PAIR = {"access_token": "eyJhbGciOi...", "refresh_token": "eyJhbGciOi...", "token_type": "bearer"}
TAKEN = Problem(409, "username_taken", "This user name is taken.")
WEAK = invalid("password", "This password is too common.", "weak_password")
WRONG = Problem(401, "wrong_credentials", "The user name or the password is wrong.")
BLOCKED = Problem(429, "login_blocked", "Too many failed logins. Try again later.")
TOO_MANY = Problem(429, "too_many_requests", "Too many requests. Try again later.")
WORTHLESS = Problem(401, "invalid_refresh_token", "The refresh token is not valid.")
MISSING = invalid("username", "This field is required.")


class PublicView(APIView):
    """For those who have no token yet: whatever they send in `Authorization` is ignored."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(PublicView):
    throttle_classes = (AddressThrottle,)
    throttle_scope = "register"

    @extend_schema(
        tags=["accounts"],
        summary="Make an account",
        request=RegisterSerializer,
        examples=[request_example({**CREDENTIALS, "full_name": "Anna Petrova"})],
        responses=answers(
            {201: UserSerializer}, TAKEN, WEAK, MISSING, TOO_MANY, *JSON_BODY, example=USER
        ),
    )
    def post(self, request: Request) -> Response:
        form = RegisterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = services.register(**form.validated_data)
        return Response(UserSerializer(user).data, status=201)


class LoginView(PublicView):
    parser_classes = (StrictJSONParser, SmallFormParser, MultiPartParser)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "login"

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        request.upload_handlers = [NoFiles(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        tags=["accounts"],
        summary="Open a session",
        request=LoginSerializer,
        examples=[request_example(CREDENTIALS)],
        responses=answers(
            {200: TokenPairSerializer}, WRONG, BLOCKED, TOO_MANY, MISSING, *JSON_BODY, example=PAIR
        ),
    )
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(_pair(services.login(request=request._request, **form.validated_data)))


class RefreshView(PublicView):
    @extend_schema(
        tags=["accounts"],
        summary="Exchange a refresh token for a new pair",
        request=RefreshSerializer,
        examples=[request_example({"refresh_token": "eyJhbGciOi..."})],
        responses=answers(
            {200: TokenPairSerializer},
            *(WORTHLESS, invalid("refresh_token", "This field is required."), *JSON_BODY),
            example=PAIR,
        ),
    )
    def post(self, request: Request) -> Response:
        form = RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(_pair(services.refresh(**form.validated_data)))


class LogoutView(APIView):
    @extend_schema(
        tags=["accounts"],
        summary="End every session",
        request=None,
        responses=answers({200: StatusSerializer}, *PROTECTED, example={"status": "success"}),
    )
    def post(self, request: Request) -> Response:
        services.logout(user_id=cast(int, request.user.id))
        return Response({"status": "success"})


class MeView(APIView):
    @extend_schema(
        tags=["accounts"],
        summary="Who I am",
        responses=answers({200: UserSerializer}, *PROTECTED, example=USER),
    )
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


def _pair(pair: tokens.Pair) -> dict[str, Any]:
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
    }

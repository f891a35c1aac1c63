"""The endpoints of accounts: each validates, calls one service, and returns."""

from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth import services, tokens
from apps.auth.client_address import client_address
from apps.auth.serializers import (
    LoginSerializer,
    RefreshSerializer,
    RegisterSerializer,
    StatusSerializer,
    TokenPairSerializer,
    UserSerializer,
)


class PublicView(APIView):
    """For those who have no token yet: whatever they send in `Authorization` is ignored."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(PublicView):
    @extend_schema(request=RegisterSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        form = RegisterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = services.register(**form.validated_data)
        return Response(UserSerializer(user).data, status=201)


class LoginView(PublicView):
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    @extend_schema(request=LoginSerializer, responses=TokenPairSerializer)
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        address = client_address(request.META, settings.TRUSTED_PROXIES)
        return Response(_pair(services.login(address=address, **form.validated_data)))


class RefreshView(PublicView):
    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer)
    def post(self, request: Request) -> Response:
        form = RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(_pair(services.refresh(**form.validated_data)))


class LogoutView(APIView):
    @extend_schema(request=None, responses=StatusSerializer)
    def post(self, request: Request) -> Response:
        services.logout(user_id=cast(int, request.user.id))
        return Response({"status": "success"})


class MeView(APIView):
    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


def _pair(pair: tokens.Pair) -> dict[str, Any]:
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
    }

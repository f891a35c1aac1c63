"""Tokens judged by their signature alone, for a system whose `auth` app is somebody else's."""

import re
from dataclasses import dataclass
from typing import Any

import structlog
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from resume_platform.ids import MAX_ID

_SUBJECT = re.compile("[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Principal:
    """The user a token speaks of."""

    id: int
    is_active: bool = True
    is_authenticated: bool = True


class SignedToken(Token):
    """What the contract asks of an access token and no more: a signature, an end and `sub`."""

    token_type = "access"  # noqa: S105  a kind, no secret
    lifetime = api_settings.ACCESS_TOKEN_LIFETIME

    def verify(self) -> None:
        self.check_exp()
        # One that says what it is must be an access token.
        if self.payload.get("token_type", self.token_type) != self.token_type:
            raise TokenError("Token has wrong type")


class SignatureAuthentication(JWTStatelessUserAuthentication):
    """Accepts any unexpired access token signed with JWT_SIGNING_KEY."""

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed as error:
            raise AuthenticationFailed(
                _("The access token is not valid."), "invalid_token"
            ) from error

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return SignedToken(raw_token)  # type: ignore[arg-type]
        except (TokenError, ArithmeticError, OSError, TypeError, ValueError) as error:
            raise InvalidToken(str(error)) from error

    def get_user(self, validated_token: Token) -> Principal:  # type: ignore[override]
        subject = str(validated_token.get("sub", ""))
        if not _SUBJECT.fullmatch(subject) or int(subject) > MAX_ID:
            raise InvalidToken
        principal = Principal(id=int(subject))
        structlog.contextvars.bind_contextvars(user_id=principal.id)
        return principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SignatureScheme(OpenApiAuthenticationExtension):
    """Tells the OpenAPI document of it, as of the other one."""

    target_class = SignatureAuthentication
    name = "access_token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scheme: dict[str, Any] = build_bearer_security_scheme_object(
            "Authorization", "Bearer", "JWT"
        )
        return scheme

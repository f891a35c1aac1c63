"""Tokens judged by their signature alone, for a system whose `auth` app is somebody else's."""

from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token


@dataclass(frozen=True)
class Principal:
    """The user a token speaks of."""

    id: int
    is_active: bool = True
    is_authenticated: bool = True


class SignatureAuthentication(JWTStatelessUserAuthentication):
    """Accepts any unexpired access token signed with JWT_SIGNING_KEY."""

    def get_user(self, validated_token: Token) -> Principal:  # type: ignore[override]
        subject = str(validated_token.get("sub", ""))
        if not subject.isascii() or not subject.isdigit() or not 1 <= int(subject) < 2**63:
            raise InvalidToken("Token contained no recognizable user identification")
        return Principal(id=int(subject))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

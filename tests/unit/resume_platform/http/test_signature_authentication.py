"""Without the app of accounts, a token is judged by its signature alone."""

import time
from typing import Any

import jwt
import pytest
from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from resume_platform.http.signature_authentication import SignatureAuthentication

GOOD = {"token_type": "access", "exp": 10**10, "jti": "1", "sub": "7"}


def authenticate(header: str) -> Any:
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=header)
    return SignatureAuthentication().authenticate(Request(request))


def bearer(key: str = "", **claims: Any) -> str:
    return "Bearer " + jwt.encode({**GOOD, **claims}, key or settings.JWT_SIGNING_KEY, "HS256")


def test_a_token_of_any_service_that_holds_the_key_is_good() -> None:
    user, _token = authenticate(bearer())
    assert user.id == 7


@pytest.mark.parametrize(
    "header",
    [
        "Bearer x",
        "Bearer a b",
        bearer(key="x" * 40),
        bearer(exp=int(time.time()) - 1),
        bearer(token_type="refresh"),
        *(bearer(exp=exp) for exp in (10**18, 1e300, -(10**18), "soon", "1" * 5000, None)),
        *(bearer(**{time: 10**18}) for time in ("iat", "nbf")),
        *(bearer(sub=sub) for sub in ("0", "-1", "x", "1" * 5000, str(2**63), "\u0663", "")),
    ],
)
def test_every_other_token_is_401_with_one_sentence(header: str) -> None:
    with pytest.raises(AuthenticationFailed) as raised:
        authenticate(header)
    assert raised.value.get_codes() == "invalid_token"
    assert str(raised.value.detail) == "The access token is not valid."

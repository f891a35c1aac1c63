"""Headers, HTTPS and CORS, as browsers see them."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_every_answer_carries_the_security_headers() -> None:
    for path in ("/health/live", "/me", "/nowhere", "/docs", "/admin/login/"):
        headers = Client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_what_the_api_says_is_kept_by_no_cache() -> None:
    assert Client().get("/me").headers["Cache-Control"] == "no-store"


@pytest.fixture
def production(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]


@pytest.mark.usefixtures("production")
def test_plain_http_is_redirected_but_for_probes_and_what_a_trusted_proxy_says() -> None:
    assert Client().get("/me").status_code == 301
    assert Client().get("/health/live").status_code == 200
    said = {"HTTP_X_FORWARDED_PROTO": "https"}
    answer = Client().get("/me", **said)
    assert answer.status_code == 401
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    invented = Client().get("/me", REMOTE_ADDR="203.0.113.9", **said)
    assert invented.status_code == 301


@pytest.mark.usefixtures("production")
def test_cookies_are_secure() -> None:
    cookies = Client().get("/admin/login/", HTTP_X_FORWARDED_PROTO="https").cookies
    assert cookies["csrftoken"]["secure"]


def test_only_configured_origins_may_read_answers(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    preflight = {
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "DELETE",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization,content-type",
    }

    good = Client().options(
        "/delete_processing", HTTP_ORIGIN="https://app.example.com", **preflight
    )
    evil = Client().options("/delete_processing", HTTP_ORIGIN="https://evil.example", **preflight)
    answer = Client().get("/get_processing", HTTP_ORIGIN="https://app.example.com")

    assert good.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "authorization" in good.headers["Access-Control-Allow-Headers"]
    assert "DELETE" in good.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in evil.headers
    assert "X-Total-Count" in answer.headers["Access-Control-Expose-Headers"]


def test_by_default_no_origin_may() -> None:
    answer = Client().get("/health/live", HTTP_ORIGIN="https://app.example.com")
    assert "Access-Control-Allow-Origin" not in answer.headers

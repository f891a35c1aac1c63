"""The environment: what stops the start, and what production looks like."""

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from celery_app import app
from devstack.paths import ROOT, TEST_SETTINGS
from devstack.settings_file import read_settings
from resume_platform.environment import SECRETS, Environment, load

SERVERS = {
    "DATABASE_URL": "postgresql://127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
}
PRODUCTION = {
    "DEBUG": "false",
    "ALLOWED_HOSTS": "api.example.com",
    "SECRET_KEY": "Zk3-9vQwT1xLr8sYb2nHd7mCf4gJp6aUe5oKi0tR-XyVwBqNzMc",
    "JWT_SIGNING_KEY": "another-key-Zk3-9vQwT1xLr8sYb2nHd7mCf4gJp6aUe5oKi0t",
}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    def do(**changes: str) -> Any:
        for name, value in {**read_settings(TEST_SETTINGS), **SERVERS, **changes}.items():
            monkeypatch.setenv(name, value)
        return load()

    return do


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "too-short"),
        ("JWT_SIGNING_KEY", "too-short"),
        ("DEBUG", "maybe"),
        ("ENABLED_APPS", "auth,billing"),
        ("LOG_LEVEL", "LOUD"),
        ("OUTCOME_EVENT", "new_something"),
        ("TRUSTED_PROXIES", "10.0.0.1/99"),
        ("HTTPS_ONLY", "sometimes"),
        ("CORS_ALLOWED_ORIGINS", "example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://example.com/path"),
        ("DATABASE_URL", "mysql://127.0.0.1/x"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("MAX_FILE_BYTES", "0"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "half an hour"),
        ("WEBHOOK_SECRET", "secret"),
        ("SECRET_KEY", ""),
        ("DATABASE_URL", ""),
    ],
)
def test_an_unknown_value_stops_the_start_and_is_named_not_shown(
    start: Any, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        start(**{name: value})
    assert name in str(raised.value)
    assert not value or len(value) < 4 or value not in str(raised.value)


@pytest.mark.parametrize("hosts", ["api.example.com", "localhost,192.168.1.5", "*", ".example.com"])
def test_debug_does_not_start_with_a_public_host(start: Any, hosts: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DEBUG"):
        start(DEBUG="true", ALLOWED_HOSTS=hosts)


@pytest.mark.parametrize("hosts", ["", "localhost,127.0.0.1,[::1]", "app.localhost"])
def test_debug_starts_at_home(start: Any, hosts: str) -> None:
    assert start(DEBUG="true", ALLOWED_HOSTS=hosts).DEBUG


def test_https_is_required_once_others_can_reach_the_host(start: Any) -> None:
    assert start(ALLOWED_HOSTS="api.example.com").HTTPS_ONLY is True
    assert start(ALLOWED_HOSTS="localhost,127.0.0.1").HTTPS_ONLY is False
    assert start(ALLOWED_HOSTS="api.example.com", HTTPS_ONLY="false").HTTPS_ONLY is False


def test_production_settings_pass_the_deploy_check_without_a_warning() -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**read_settings(TEST_SETTINGS), **SERVERS, **PRODUCTION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "no issues (0 silenced)" in run.stdout


def test_the_deploy_check_refuses_one_key_for_two_purposes(settings: Any) -> None:
    assert "resume_platform.E001" not in _ids()
    settings.JWT_SIGNING_KEY = settings.SECRET_KEY
    assert "resume_platform.E001" in _ids()


def _ids() -> list[str | None]:
    return [problem.id for problem in run_checks(tags=["security"], include_deployment_checks=True)]


def test_celery_is_handed_nothing_but_what_is_named_so_its_workers_publish_no_more() -> None:
    published = set(app.conf.table(with_defaults=True))
    assert set(settings.CELERY) <= published
    assert not published & (set(Environment.model_fields) | {"DATABASES", "SIMPLE_JWT"})


def test_a_process_does_without_the_secrets_that_others_need(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCESS_NAME", "worker-ai-2")
    given = {name: "" for name in SECRETS if "worker-ai" not in SECRETS[name]}
    assert start(**given).OPENAI_API_KEY
    kept = {"OPENAI_API_KEY": "sk-kept", "SECRET_KEY": "s" * 40}
    environment = start(**kept)
    assert environment.OPENAI_API_KEY == "sk-kept"
    assert kept["SECRET_KEY"] != environment.SECRET_KEY
    monkeypatch.setenv("PROCESS_NAME", "")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        start(SECRET_KEY="")

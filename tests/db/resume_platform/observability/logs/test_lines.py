"""What a line says, whoever logged it: constant words and ids, never what somebody wrote."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import structlog
from django.conf import settings
from django.db import connection
from pydantic import BaseModel, ValidationError

from resume_platform.observability import logs
from resume_platform.observability.logs.handlers import StdoutHandler

SECRET = "МаркерСекрета"


@pytest.fixture
def log_level() -> str:
    return "INFO"


@pytest.fixture
def output() -> io.StringIO:
    """In place of the process's stdout."""
    return io.StringIO()


@pytest.fixture
def written(
    log_level: str, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, with logging set up as in production."""
    structlog.contextvars.clear_contextvars()
    root = logging.getLogger()
    before = root.handlers[:]
    monkeypatch.setattr(settings, "LOG_LEVEL", log_level)
    logs.configure({"process": ""})
    [handler] = [h for h in root.handlers if isinstance(h, StdoutHandler)]
    handler.stream = output
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers = before
    logging.captureWarnings(False)


def test_one_line_an_event_with_what_is_bound(written):
    with structlog.contextvars.bound_contextvars(request_id="r-1", processing_id=7):
        structlog.get_logger("apps.storage").info("storage.applied", rows=3)
    [line] = written()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "storage.applied",
        "level": "info",
        "logger": "apps.storage",
        "request_id": "r-1",
        "processing_id": 7,
        "rows": 3,
    }


def log_foreign(name: str, level: int, message: str, *arguments: object) -> None:
    logging.getLogger(name).log(level, message, *arguments)


@pytest.mark.parametrize(
    ("name", "level", "message", "arguments", "event"),
    [
        ("django.request", logging.ERROR, "%s: %s", ("Not Found", f"/{SECRET}"), "…: …"),
        ("django.security.DisallowedHost", logging.ERROR, f"Invalid header: {SECRET}", (), "…"),
        ("some.library", logging.WARNING, f"I read {SECRET}", (), "…"),
        ("some.library", logging.WARNING, "%d bytes of %r", (3, SECRET), "3 bytes of …"),
        ("asyncio", logging.ERROR, f"Never retrieved\nfuture: {SECRET}", (), "Never retrieved"),
        ("celery.worker", logging.INFO, "Connected to %s", ("redis://h/0",), "Connected to redis://h/0"),
        ("celery.worker", logging.WARNING, "Unknown message: %s", (SECRET,), "Unknown message: …"),
        (
            "celery.app.trace",
            logging.ERROR,
            "Task %(name)s[%(id)s] %(description)s: %(exc)s\n%(traceback)s",
            ({"name": "ai.analyze", "id": "1", "description": "", "exc": SECRET, "traceback": ""},),
            "Task ai.analyze[1] : …",
        ),
        ("kombu", logging.ERROR, "Failed: %r", (ValueError(SECRET),), "Failed: ValueError"),
        ("librdkafka", logging.ERROR, "%s [%s] %s", ("FAIL", "rd#1", "no"), "FAIL [rd#1] no"),
        (
            "waitress",
            logging.ERROR,
            "Exception while serving %s",
            (f"/x?{SECRET}",),
            "Exception while serving …",
        ),
    ],
)  # fmt: skip
def test_others_lines_keep_their_constant_words_alone(
    written, name, level, message, arguments, event
):
    log_foreign(name, level, message, *arguments)
    [line] = written()
    assert line["event"] == event
    assert SECRET not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("log_level", ["DEBUG"])
def test_others_debug_lines_are_not_written_whatever_the_level(written):
    log_foreign("django.db.backends", logging.DEBUG, SECRET)
    structlog.get_logger("kafka_bridge.outbox.relay").debug("relay.produced")
    assert [line["event"] for line in written()] == ["relay.produced"]


def test_a_warning_is_told_by_place_and_kind(written):
    # As `logging.captureWarnings` hands it on.
    log_foreign("py.warnings", logging.WARNING, f"/x/a.py:3: RuntimeWarning: {SECRET}\n  code\n")
    [line] = written()
    assert line["event"] == "a.py:3: RuntimeWarning"


class Form(BaseModel):
    age: int


def refused_by_pydantic() -> None:
    Form.model_validate({"age": SECRET})


def refused_by_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE refusing (word text UNIQUE)")
        for _ in range(2):
            cursor.execute("INSERT INTO refusing VALUES (%s)", [SECRET])


def refused_within_another_error() -> None:
    try:
        refused_by_postgresql()
    except Exception as error:
        raise KeyError(SECRET) from error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fail", "kinds"),
    [
        (refused_by_pydantic, ["pydantic_core._pydantic_core.ValidationError"]),
        (
            refused_by_postgresql,
            ["django.db.utils.IntegrityError", "psycopg2.errors.UniqueViolation"],
        ),
        (
            refused_within_another_error,
            ["KeyError", "django.db.utils.IntegrityError", "psycopg2.errors.UniqueViolation"],
        ),
    ],
)
def test_an_exception_is_told_by_kinds_and_places(written, fail, kinds):
    local = SECRET  # nor a local variable
    with pytest.raises((ValidationError, KeyError, psycopg2.Error, Exception)) as raised:
        fail()
    assert SECRET in str(raised.value), "otherwise this proves nothing"
    structlog.get_logger("apps.storage").error("task.failed", exc_info=raised.value)
    [line] = written()
    assert [told["type"] for told in line["exception"]] == kinds
    assert any(
        "tests/db/resume_platform/observability/logs/test_lines.py:" in at and fail.__name__ in at
        for at in line["exception"][0]["at"]
    )
    assert local not in json.dumps(line, ensure_ascii=False)


def test_a_lost_server_is_told_in_its_own_words(written):
    with pytest.raises(psycopg2.OperationalError) as raised:
        psycopg2.connect("postgresql://someone:pass-phrase@127.0.0.1:1/none", connect_timeout=2)
    structlog.get_logger("apps.storage").error("database.away", exc_info=raised.value)
    [line] = written()
    assert "port 1 failed" in line["exception"][0]["message"]
    assert "pass-phrase" not in json.dumps(line)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://user:pw@hooks.example.com:8443/secret/path?token=1", "https://hooks.example.com:8443/***"),
        ("http://hooks.example.com", "http://hooks.example.com"),
        ("redis://:hunter22@redis:6379/0", "redis://***@redis:6379/0"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
        ("sent Bearer abc.def", "sent ***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***"),
        ("key sk-proj-abcdefgh12345678", "key ***"),
        (f'duplicate key DETAIL:  Key (word)=({SECRET})', "duplicate key ***"),
        (f"1 error [type=int, input_value='{SECRET}']", "1 error [type=int, ***"),
        ("ai.analyze", "ai.analyze"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_masked_in_our_own_lines_too(written, value, shown):
    structlog.get_logger("apps.ai").info("ai.told", one=value, many=[{"inside": value}])
    [line] = written()
    assert line["one"] == shown
    assert line["many"] == [{"inside": shown}]


def test_the_secrets_of_the_settings_are_masked_wherever_they_stand(written):
    structlog.get_logger("apps.ai").info("ai.told", words=f"<{settings.SECRET_KEY}>")
    structlog.get_logger("apps.ai").info("ai.told", words=f"<{settings.JWT_SIGNING_KEY}>")
    assert [line["words"] for line in written()] == ["<***>", "<***>"]


def test_an_object_is_told_by_its_kind(written):
    structlog.get_logger("apps.ai").info("ai.told", form=Form.model_construct(age=SECRET))
    [line] = written()
    assert line["form"] == "<Form>"


def test_a_line_that_cannot_be_written_quotes_nothing(written, output, monkeypatch):
    errors = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", errors)
    output.close()
    log_foreign("celery.worker", logging.INFO, "Connected to %s", SECRET)
    told = json.loads(errors.getvalue())
    assert told["event"] == "log.not_written"
    assert SECRET not in json.dumps(told, ensure_ascii=False)

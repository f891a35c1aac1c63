"""Structured logs: one JSON line per event, to stdout and, with LOG_DIR, to a file a day.

Log a constant name and ids; never a text, a token or a callback URL. What others' code logs
(Django, waitress, Celery, librdkafka) comes out as the same lines, without what it quotes.
"""

import logging
import logging.config
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from resume_platform.observability import tracing
from resume_platform.observability.logs import crashes
from resume_platform.observability.logs.exceptions import without_messages
from resume_platform.observability.logs.foreign import without_quotes
from resume_platform.observability.logs.formatting import Formatter, as_json
from resume_platform.observability.logs.handlers import private
from resume_platform.observability.logs.masking import Masking, known_secrets

# The neighbours' log collectors look for the notifications' file under this name.
FILES = {"worker-webhooks": "notification_service"}

_OURS = ("apps", "kafka_bridge", "resume_platform", "staff", "celery_app")

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    tracing.add_trace_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(logging_setting: Mapping[str, str]) -> None:
    """Set up logging for this process; Django calls it with LOGGING, which must not be empty.

    Raises ImproperlyConfigured where LOG_DIR cannot be written to.
    """
    process = logging_setting["process"]
    handlers: dict[str, dict[str, Any]] = {
        "stdout": {
            "class": "resume_platform.observability.logs.handlers.StdoutHandler",
            "formatter": "json",
            "stream": "ext://sys.stdout",
        }
    }
    if settings.LOG_DIR and process:
        handlers["file"] = {
            "class": "resume_platform.observability.logs.handlers.DailyFileHandler",
            "formatter": "json",
            "path": _file(settings.LOG_DIR, process),
            "keep_days": settings.LOG_KEEP_DAYS,
        }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": _formatter}},
            "handlers": handlers,
            # What others say below INFO quotes what passes through them: SQL, headers, bodies.
            "root": {"handlers": list(handlers), "level": _at_least("INFO")},
            "loggers": {
                **{name: {"level": settings.LOG_LEVEL} for name in _OURS},
                # Each request has a line of ours; of theirs only that of a defect is wanted.
                "django.request": {"level": "ERROR"},
                # It would log each wake-up twice; the handlers log what they did.
                "celery.worker.strategy": {"level": _at_least("WARNING")},
                "celery.app.trace": {"level": _at_least("WARNING")},
                "pymorphy3": {"level": _at_least("WARNING")},
                # A line for each request that waits for a thread is too much.
                "waitress.queue": {"level": _at_least("ERROR")},
            },
        }
    )
    logging.captureWarnings(True)
    if not structlog.is_configured():  # a logger keeps the processors that it met first
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                *_SHARED,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        )
    if process:
        crashes.log_them()


def _formatter() -> logging.Formatter:
    return Formatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            without_messages,
            Masking(known_secrets(settings)),
            structlog.processors.JSONRenderer(serializer=as_json),
        ],
        foreign_pre_chain=[*_SHARED, without_quotes],
        use_get_message=False,
        pass_foreign_args=True,
    )


def _at_least(level: str) -> str:
    names = logging.getLevelNamesMapping()
    return max(level, settings.LOG_LEVEL, key=names.__getitem__)


def _file(directory: str, process: str) -> Path:
    # A second copy of a process on one host ("worker-webhooks-2") has files of its own.
    copy = re.search(r"-\d+$", process)
    number = copy[0] if copy else ""
    kind = process.removesuffix(number)
    path = Path(directory) / f"{FILES.get(kind, kind)}{number}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(private(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY))
    except OSError as error:
        raise ImproperlyConfigured(
            f"The setting LOG_DIR names a place that cannot be written to ({error.strerror}):"
            " leave it empty for stdout alone."
        ) from None
    return path

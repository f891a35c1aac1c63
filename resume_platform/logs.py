"""Structured logs: one JSON line per event, to stdout and, with LOG_DIR, to a file a day.

Log a constant name and ids; never a text, a token or a callback URL.
"""

import logging
import logging.config
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

# The neighbours' log collectors look for the notifications' file under this name.
FILES = {"worker-webhooks": "notification_service.log"}

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(logging_setting: Mapping[str, str]) -> None:
    """Set up logging for this process; Django calls it with LOGGING, which must not be empty."""
    handlers: dict[str, dict[str, Any]] = {
        "stdout": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stdout",
        }
    }
    process = logging_setting["process"]
    if settings.LOG_DIR and process:
        directory = Path(settings.LOG_DIR)
        directory.mkdir(parents=True, exist_ok=True)
        handlers["file"] = {
            "class": "logging.handlers.TimedRotatingFileHandler",
            "formatter": "json",
            "filename": str(directory / FILES.get(process, f"{process}.log")),
            "when": "midnight",
            "backupCount": 14,
            "utc": True,
            "delay": True,
            "encoding": "utf-8",
        }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        structlog.processors.JSONRenderer(ensure_ascii=False),
                    ],
                    "foreign_pre_chain": _SHARED,
                }
            },
            "handlers": handlers,
            "root": {"handlers": list(handlers), "level": settings.LOG_LEVEL},
            "loggers": {
                # It would log each wake-up twice; the handlers log what they did.
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

"""What nobody caught, in the main thread or another, is a line of the log and not a traceback."""

import sys
import threading
from types import TracebackType

import structlog

log = structlog.get_logger(__name__)


def log_them() -> None:
    """Python's own hooks would print the message of the exception, which may quote a text."""
    sys.excepthook = _process_crashed
    threading.excepthook = _thread_crashed


def _process_crashed(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("process.crashed", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is None or issubclass(crash.exc_type, SystemExit):
        return
    log.critical(
        "thread.crashed",
        thread=crash.thread.name if crash.thread else "",
        exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback),
    )

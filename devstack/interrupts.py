"""Ctrl-C, SIGTERM and SIGHUP as one exception, never in the middle of starting a process."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Someone asked this process to end; `.signal_number` says how."""

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        super().__init__(signal.Signals(signal_number).name)


class _State:
    depth = 0
    pending: int | None = None


def install() -> None:
    """From now on the signals raise Interrupted in the main thread."""
    for number in SIGNALS:
        # nohup and background shells ignore some of them on purpose
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


def _handle(number: int, _frame: FrameType | None) -> None:
    if _State.depth:
        _State.pending = number
    else:
        raise Interrupted(number)


def pending() -> bool:
    """Whether a signal came inside `deferred()`."""
    return _State.pending is not None


@contextmanager
def deferred(*, forget: bool = False) -> Iterator[None]:
    """Holds signals back until the end of the block; with `forget` they are dropped there."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
        if not _State.depth:
            number, _State.pending = _State.pending, None
            if number is not None and not forget:
                raise Interrupted(number)

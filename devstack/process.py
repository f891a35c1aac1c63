"""One supervised process: how it is started, seen to be ready, and ended with all its children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from devstack.paths import ROOT

_TAIL_BYTES = 8_000
_TAIL_LINES = 25


@dataclass(frozen=True)
class Account:
    """The system user that a process runs as, when that is not ours."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Spec:
    """What to run. Everything that may change between two starts is a callable."""

    name: str
    command: Callable[[], Sequence[str]]
    ready: Callable[["Process"], bool] = lambda process: True
    environment: Callable[[], Mapping[str, str]] = field(default=lambda: os.environ)
    after: tuple[str, ...] = ()
    """Parts that must be ready before the first start."""
    prepare: Callable[[], None] = lambda: None
    """Called before every start."""
    when_ready: Callable[[], None] = lambda: None
    restarts: tuple[str, ...] = ()
    """Parts that are started again when this one came back."""
    one_shot: bool = False
    """Ready when it has ended with 0; not supervised."""
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 8.0
    start_seconds: float = 60.0


class Process:
    """Runs one Spec, again and again. Leads a session of its own, so that Ctrl-C at the terminal
    reaches the supervisor alone and its children can be ended as one group."""

    def __init__(self, spec: Spec, *, log: Path) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = log
        self.is_ready = False
        self.started_at = 0.0
        self.starts = 0
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        self.is_ready = False
        account = self.spec.account
        with self.log.open("wb" if self.starts == 0 else "ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(
                list(self.spec.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT if account is None else "/",
                env={**self.spec.environment(), "PROCESS_NAME": self.name},
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        self.started_at = time.monotonic()
        self.starts += 1

    def check(self) -> bool:
        if not self.is_ready and self.spec.ready(self):
            self.is_ready = True
            self.spec.when_ready()
        return self.is_ready

    def has_ended(self) -> bool:
        """Leaves the ended process unreaped, so that its group's id cannot be somebody else's."""
        if self._popen is None or self._popen.returncode is not None:
            return True
        try:
            ended = os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return ended is not None

    def reap(self) -> int:
        """Ends what is left of the group; returns the exit code (negative: the signal)."""
        assert self._popen is not None
        pid = self._popen.pid
        self.kill_group()
        code = self._popen.wait()
        deadline = time.monotonic() + 1.0
        while _group_lives(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.is_ready = False
        self._popen = None
        return code

    def ask_to_end(self) -> None:
        """Tells the leader alone, as a container engine would: it knows its children."""
        if self._popen is not None:
            self._popen.send_signal(self.spec.stop_signal)

    def kill_group(self) -> None:
        if self._popen is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def log_since_start(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_tail(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])


def _group_lives(group: int) -> bool:
    """Orphans that nobody reaps (a container without an init) stay zombies: they do not count."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def describe_exit(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"

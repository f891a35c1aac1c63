"""A real webhooks worker in its own process, on the tests' database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from tests.support.paths import ROOT


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value of `condition`; fails when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
    return value


class Worker:
    """`with Worker(tmp_path / "log", threads=4, LEASE_SECONDS="1") as worker: ...`"""

    def __init__(self, log: Path, *, threads: int, **environment: str) -> None:
        self._log = log
        command = [
            *(sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "threads"),
            *("--concurrency", str(threads), "-Q", "webhooks", "-n", f"{log.stem}@%h"),
            *("--without-mingle", "--without-gossip", "--without-heartbeat"),
        ]
        url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": url.geturl(), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "Worker":
        wait_for(lambda: "ready." in self.log, 60)
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

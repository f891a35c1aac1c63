"""The real web server on a free port, with a Valkey of its own that a test may kill."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import requests
from django.db import connection

from devstack.embedded.valkey import EmbeddedValkey
from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from devstack.readiness import http_answers, redis_answers

PASSWORD = "correct-horse-battery"
START_SECONDS = 30


class Client(requests.Session):
    """Knows the server's address, and whose token to show."""

    def __init__(self, base: str, token: str = "") -> None:
        super().__init__()
        self.trust_env = False
        self.base = base
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", 30)
        return super().request(method, self.base + str(url), *args, **kwargs)


class Server:
    """`with Server(directory) as server: server.client().get("/health")`."""

    def __init__(
        self, directory: Path, settings: Mapping[str, str] | None = None, *, threads: int = 16
    ) -> None:
        self._directory = directory
        self._settings = dict(settings or {})
        self._threads = str(threads)
        self.redis = EmbeddedValkey(directory, password="test")
        self.base = f"http://{HOST}:{free_port()}"
        self._names = 0

    def __enter__(self) -> "Server":
        self.start_redis()
        self._log = (self._directory / "web.log").open("ab")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "resume_platform.web_server", "--processes", "1"),
                *("--threads", self._threads, "--bind", urlsplit(self.base).netloc),
            ],
            cwd=ROOT,
            env=self._environment(),
            stdout=self._log,
            stderr=self._log,
        )
        _wait(lambda: http_answers(f"{self.base}/health"), self.process)
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.kill_redis()
        self._log.close()

    def start_redis(self) -> None:
        self.redis._prepare()
        self._valkey = subprocess.Popen(self.redis._command(), stdout=subprocess.DEVNULL)
        _wait(lambda: redis_answers(self.redis.url), self._valkey)

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def kill_redis(self) -> None:
        self._valkey.kill()
        self._valkey.wait()

    def client(self) -> Client:
        """Somebody without a token."""
        return Client(self.base)

    def somebody(self) -> Client:
        """A new user who has logged in."""
        self._names += 1
        name = f"live{self._names}-{time.time_ns()}@example.com"
        return self.login(self.register(name))

    def register(self, username: str) -> str:
        body = {"username": username, "password": PASSWORD}
        answer = self.client().post("/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return username

    def login(self, username: str) -> Client:
        return Client(self.base, self.tokens(username)["access_token"])

    def tokens(self, username: str) -> dict[str, str]:
        body = {"username": username, "password": PASSWORD}
        answer = self.client().post("/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def log(self) -> str:
        return (self._directory / "web.log").read_text(errors="replace")

    def memory_kilobytes(self, what: str) -> int:
        """`what` as in /proc: VmHWM (peak) or VmRSS; of the worker that serves."""
        [worker] = _children(self.process.pid)
        for line in Path(f"/proc/{worker}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1])
        raise AssertionError(what)

    def _environment(self) -> dict[str, str]:
        database = connection.settings_dict
        parts = urlsplit(os.environ["DATABASE_URL"])
        url = parts._replace(path=f"/{database['NAME']}").geturl()
        servers = dict.fromkeys(("REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL"), self.redis.url)
        return {
            **os.environ,
            **servers,
            "DATABASE_URL": url,
            "DATABASE_DIRECT_URL": url,
            # Nothing may linger when the test database goes.
            "DATABASE_CONN_MAX_AGE": "0",
            **self._settings,
        }


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _wait(condition: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None, "it ended at once"
        assert time.monotonic() < deadline, "it does not answer"
        time.sleep(0.05)

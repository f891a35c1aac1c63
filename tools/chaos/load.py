"""Clients that start processings at a steady pace and try again whatever the answer."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import requests

from devstack.client import Client
from devstack.errors import StackError

USERS = 8
PAUSE_SECONDS = 0.2
REQUIREMENTS = "Must have:\n- Python, 3 years\n- PostgreSQL\n- Docker\nNice to have:\n- Kafka\n"
RESUME = "Developer. 2016 - 2024: Python, Django, PostgreSQL and Docker every day. Applicant {}.\n"
T = TypeVar("T")


class Load:
    """`processings` starts over about `seconds`, by as many threads as there are users.

    Each attempt at a start has a callback path of its own, so that one that was cut off without an
    answer and then tried again is not taken for a repetition.
    """

    def __init__(self, *, api: str, sink: str, processings: int, seconds: float) -> None:
        self._api = api
        self._sink = sink
        self._wanted = processings
        self._pace = seconds / processings
        self._lock = threading.Lock()
        self._taken = 0
        self._stop = threading.Event()
        self._began = 0.0
        self._sessions: list[tuple[Client, int]] = []
        self.accepted: dict[int, str] = {}
        self.unanswered = 0

    def log_in(self) -> None:
        """Before anything goes wrong: what is proved is about processings."""
        self._sessions = [self._session() for _ in range(USERS)]

    def run(self) -> None:
        """Returns when every processing was accepted, or `stop` was called."""
        self._began = time.monotonic()
        threads = [threading.Thread(target=self._work, args=session) for session in self._sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        self._stop.set()

    def _session(self) -> tuple[Client, int]:
        client = Client.of_new_user(self._api, "chaos")
        return client, client.create_requirements(REQUIREMENTS)

    def _work(self, client: Client, requirements: int) -> None:
        while (number := self._next()) is not None:
            due = self._began + number * self._pace
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            text = RESUME.format(secrets.token_hex(8))
            resume = self._persist(lambda text=text: client.create_resume(text))  # type: ignore[misc]
            if resume is not None:
                self._start(client, requirements, resume)

    def _start(self, client: Client, requirements: int, resume: int) -> None:
        def attempt() -> tuple[int, str]:
            path = f"/chaos/{secrets.token_hex(10)}"
            processing = client.start_processing(
                requirements_id=requirements, resume_id=resume, callback_url=self._sink + path
            )
            return processing, path

        answer = self._persist(attempt)
        if answer is not None:
            with self._lock:
                self.accepted[answer[0]] = answer[1]

    def _persist(self, call: Callable[[], T]) -> T | None:
        while not self._stop.is_set():
            try:
                return call()
            except (requests.RequestException, StackError):
                with self._lock:
                    self.unanswered += 1
                self._stop.wait(PAUSE_SECONDS)
        return None

    def _next(self) -> int | None:
        with self._lock:
            if self._taken == self._wanted:
                return None
            self._taken += 1
            return self._taken

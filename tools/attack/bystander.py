"""Somebody else, who uses the system as it is meant while it is attacked."""

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from devstack.client import Client
from devstack.errors import StackError
from tools.bench.texts import REQUIREMENTS, resume

LIVE_SECONDS, JUDGEMENT_SECONDS = 1.0, 10.0
GIVE_UP_SECONDS = 60.0


@dataclass
class Seen:
    """The slowest answers during one attack; infinite where one failed."""

    live: float = math.inf
    judgement: float = math.inf

    def is_unharmed(self, times: float) -> bool:
        """Within so many times the limits."""
        return self.live <= times * LIVE_SECONDS and self.judgement <= times * JUDGEMENT_SECONDS


class Probe:
    """Asks until the process ends; keeps when each began, ended, and how long it took."""

    def __init__(self, ask: Callable[[], bool], *, pause: float) -> None:
        self._ask = ask
        self._pause = pause
        self._answered = threading.Condition()
        self._answers: list[tuple[float, float, float]] = []
        threading.Thread(target=self._run, daemon=True).start()

    def slowest(self, *, since: float, until: float) -> float:
        """Of those under way between the two, and of the first that began afterwards."""
        with self._answered:
            self._answered.wait_for(
                lambda: self._answers and self._answers[-1][0] >= until, 3 * GIVE_UP_SECONDS
            )
            return max((took for _, at, took in self._answers if at >= since), default=math.inf)

    def _run(self) -> None:
        while True:
            time.sleep(self._pause)
            began = time.monotonic()
            try:
                is_good = self._ask()
            except (requests.RequestException, StackError):
                is_good = False
            ended = time.monotonic()
            with self._answered:
                self._answers.append((began, ended, ended - began if is_good else math.inf))
                self._answered.notify_all()


class Bystander:
    """Asks /health/live on new connections, and has one resume after another judged."""

    def __init__(self, api: str, callback_url: str) -> None:
        self._api = api
        self._callback_url = callback_url
        self._client = Client.of_new_user(api, "bystander")
        self._requirements = self._client.create_requirements(REQUIREMENTS)
        self._live = Probe(self._ask_live, pause=0.1)
        self._judgement = Probe(self._have_judged, pause=2.0)

    @contextmanager
    def watch(self) -> Iterator[Seen]:
        """What the block does to others is in what it yields, once the block is over."""
        seen, since = Seen(), time.monotonic()
        yield seen
        until = time.monotonic()
        seen.judgement = self._judgement.slowest(since=since, until=until)
        seen.live = self._live.slowest(since=since, until=until)

    def _ask_live(self) -> bool:
        return Client(self._api).send("GET", "/health/live").ok

    def _have_judged(self) -> bool:
        before = self._client.outcomes()
        give_up = time.monotonic() + GIVE_UP_SECONDS
        self._client.start_processing(
            requirements_id=self._requirements,
            resume_id=self._client.create_resume(resume(secrets.randbelow(10**12))),
            callback_url=self._callback_url,
        )
        while time.monotonic() < give_up:
            if (now := self._client.outcomes()) != before:
                return now[0] > before[0]
            time.sleep(0.1)
        return False

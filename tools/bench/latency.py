"""Latency: one processing at a time on an idle system whose AI answers at once."""

import secrets
import time

import requests

from devstack.client import Client
from devstack.errors import StackError
from devstack.stack import Stack
from tools.bench.figures import Figures, percentile
from tools.bench.receiver import Receiver
from tools.bench.relay import RelayDelay
from tools.bench.rig import Rig
from tools.bench.texts import REQUIREMENTS, resume

WARM_UP = 5
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.002
QUIET_SECONDS = 0.2

FLOOR = "floor: one bare POST"
TITLES = {
    "callback": "start_processing to callback",
    "start_processing": "POST /start_processing",
    "relay": "outbox row committed to gone",
    "floor": FLOOR,
}


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(30, 10)
    with rig.stack() as stack, Receiver() as receiver:
        one_by_one = OneByOne(stack, receiver)
        one_by_one.measure(WARM_UP)
        for _ in rig.each_run("latency"):
            samples = one_by_one.measure(count)
            for name, title in TITLES.items():
                floor = None if title == FLOOR else FLOOR
                p50, p95 = (percentile(samples[name], percent) for percent in (50, 95))
                figures.add(title, p50, "ms", floor=floor)
                if floor:
                    figures.add(f"{title}, p95", p95, "ms")
    figures.remark("A relayed row is gone when Kafka has acknowledged it.")


class OneByOne:
    """Processings one at a time, each after a moment of rest."""

    def __init__(self, stack: Stack, receiver: Receiver) -> None:
        self._api = Client(stack.info["api"])
        self._receiver = receiver
        self._relay = RelayDelay(stack.info["database_url"])
        username = f"bench-{secrets.token_hex(6)}@example.com"
        password = secrets.token_urlsafe(24)
        self._api.register(username=username, password=password, full_name="Bench")
        self._api.login(username=username, password=password)
        self._requirements = self._api.create_requirements(REQUIREMENTS)

    def measure(self, count: int) -> dict[str, list[float]]:
        """Milliseconds of each, by figure."""
        samples: dict[str, list[float]] = {name: [] for name in TITLES}
        for _ in range(count):
            text = self._api.create_resume(resume(secrets.randbelow(10**12)))
            path = f"/bench/{secrets.token_hex(8)}"
            time.sleep(QUIET_SECONDS)  # the uploads' own events are stored meanwhile
            started = time.time()
            self._api.start_processing(
                requirements_id=self._requirements,
                resume_id=text,
                callback_url=self._receiver.url + path,
            )
            samples["start_processing"].append((time.time() - started) * 1000)
            samples["callback"].append((self._arrival(path) - started) * 1000)
            samples["floor"].append(self._bare_post())
            time.sleep(QUIET_SECONDS)
            samples["relay"].append(self._relay.once())
        return samples

    def _arrival(self, path: str) -> float:
        deadline = time.monotonic() + WAIT_SECONDS
        while path not in self._receiver.arrivals:
            if time.monotonic() > deadline:
                raise StackError(f"no callback came within {WAIT_SECONDS:.0f} s.")
            time.sleep(POLL_SECONDS)
        return self._receiver.arrivals[path]

    def _bare_post(self) -> float:
        started = time.perf_counter()
        requests.post(f"{self._receiver.url}/floor", json={}, timeout=WAIT_SECONDS)
        return (time.perf_counter() - started) * 1000

"""Each process of the system is killed in turn: it is named within 15 seconds, alone, and recovers.

The supervisor is told to leave it down until it has been named. `-o log_cli_level=INFO -o
log_cli=true` shows how long each took.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from devstack.parts import WORKERS
from devstack.stack import Stack

log = logging.getLogger(__name__)

NAMED_WITHIN = 15.0
# How long a loaded machine may take to start everything again.
BACK_WITHIN = 90.0
POLL_SECONDS = 0.2

# The part that /health/ready and `part_up` call by its name when the process is gone.
PART_OF = {
    "bridge": "bridge",
    **{f"worker-{queue}": f"worker-{queue}" for queue in WORKERS},
    "flower": "flower",
    "postgres": "database",
    "redis": "redis",
    "kafka": "kafka",
}


class Watched:
    """What an operator sees of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._api = stack.info["api"]
        self._metrics = stack.info["metrics"]

    def down(self) -> set[str]:
        """The parts that /health/ready finds down. Raises requests.RequestException."""
        answer = requests.get(f"{self._api}/health/ready", timeout=10)
        parts = answer.json()["parts"]
        assert all(part.get("reason") for part in parts.values() if part["status"] != "OK")
        assert answer.ok == all(
            part["status"] == "OK" or name == "flower" for name, part in parts.items()
        )
        return {name for name, part in parts.items() if part["status"] == "down"}

    def down_by_metrics(self) -> set[str]:
        lines = self._scrape("web").splitlines()
        return {
            line.split('"')[1]
            for line in lines
            if line.startswith("part_up{") and line.endswith(" 0.0")
        }

    def is_up(self, name: str) -> bool:
        """As Prometheus' own `up` says."""
        try:
            self._scrape(name)
        except requests.RequestException:
            return False
        return True

    def started_at(self, name: str) -> float:
        [line] = [
            line
            for line in self._scrape(name).splitlines()
            if line.startswith("process_start_time_seconds")
        ]
        return float(line.split()[-1])

    def is_scraped(self, name: str) -> bool:
        return name in self._metrics

    def is_well(self) -> bool:
        try:
            return not self.down() and not self.down_by_metrics()
        except requests.RequestException:
            return False

    def _scrape(self, name: str) -> str:
        answer = requests.get(self._metrics[name], timeout=10)
        answer.raise_for_status()
        return answer.text


def seconds_until(seen: Callable[[], bool], *, since: float) -> float:
    """When it was last not seen, counted from `since`: a slow answer is not a late one."""
    unseen_at = since
    while time.monotonic() - since < BACK_WITHIN:
        asked_at = time.monotonic()
        if seen():
            return unseen_at - since
        unseen_at = asked_at
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"not seen in {BACK_WITHIN:.0f} s")


@pytest.fixture
def watched(stack: Stack) -> Any:
    stack.wait_ready(timeout=60)
    watched = Watched(stack)
    seconds_until(watched.is_well, since=time.monotonic())
    return watched


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PART_OF)
def test_a_killed_process_is_named_alone_and_recovers(
    stack: Stack, watched: Watched, name: str
) -> None:
    part = PART_OF[name]
    before = watched.started_at(name) if watched.is_scraped(name) else 0.0
    stack.hold(name)
    try:
        killed_at = time.monotonic()
        if watched.is_scraped(name):
            assert not watched.is_up(name)
        looks: list[set[str]] = []

        def is_named() -> bool:
            looks.append(watched.down())
            return part in looks[-1] & watched.down_by_metrics()

        named = seconds_until(is_named, since=killed_at)
        assert looks[-1] == {part}
    finally:
        stack.release(name)
    released_at = time.monotonic()
    stack.wait_ready(timeout=BACK_WITHIN)
    back = seconds_until(watched.is_well, since=released_at)
    log.info("%s: named after %.1f s, all well %.1f s after it was let up", name, named, back)
    assert named <= NAMED_WITHIN
    if watched.is_scraped(name):
        assert watched.started_at(name) > before


@pytest.mark.e2e
@pytest.mark.slow
def test_a_killed_web_process_refuses_connections_and_recovers(
    stack: Stack, watched: Watched
) -> None:
    before = watched.started_at("web")
    stack.hold("web")
    try:
        # Its children serve on until they notice that their parent is gone.
        refused = seconds_until(lambda: not watched.is_up("web"), since=time.monotonic())
        assert refused <= NAMED_WITHIN
        with pytest.raises(requests.ConnectionError):
            watched.down()
    finally:
        stack.release("web")
    stack.wait_ready(timeout=BACK_WITHIN)
    seconds_until(watched.is_well, since=time.monotonic())
    assert watched.started_at("web") > before

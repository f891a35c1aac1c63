"""What every scenario measures with: stacks of its own settings, runs, sizes, a real Kafka."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devstack.environment import TOPIC_SETTINGS
from devstack.kafka.cluster import ApacheKafka
from devstack.stack import Stack
from tools.bench import usage

# What production limits so that nobody hurts anybody would measure the limit.
LIFTED = {
    "START_PROCESSING_PER_MINUTE": "100000000",
    "LOGIN_MAX_ATTEMPTS": "100000000",
    "LOGIN_PER_MINUTE": "100000000",
    "REGISTER_PER_MINUTE": "100000000",
    "AI_RPM": "10000000",
    "AI_RPD": "1000000000",
    "AI_TPM": "1000000000000",
    "STALLED_AFTER_MINUTES": "100000",
    "LOG_LEVEL": "INFO",
}


class Rig:
    """`kafka`: a running Apache Kafka; None: each stack has the embedded broker.

    `threads`: of the AI's worker, where it is not what a scenario says.
    """

    def __init__(
        self,
        *,
        directory: Path,
        runs: int,
        is_quick: bool,
        kafka: ApacheKafka | None,
        threads: int | None = None,
        tell: Callable[[str], None],
    ) -> None:
        self.runs = runs
        self.is_quick = is_quick
        self.kafka = kafka
        self.threads = threads
        self.tell = tell
        self._directory = directory
        self._stacks = itertools.count(1)

    def size(self, full: int, quick: int) -> int:
        return quick if self.is_quick else full

    def each_run(self, what: str) -> Iterator[int]:
        for number in range(self.runs):
            self.tell(f"{what}: run {number + 1} of {self.runs}")
            yield number

    @contextmanager
    def stack(
        self,
        *,
        env: Mapping[str, str] | None = None,
        workers: Mapping[str, tuple[int, int]] | None = None,
        copies: Mapping[str, int] | None = None,
        standin_delay: float = 0.0,
    ) -> Iterator[Stack]:
        """A system whose settings are production's but for the limits; its data go with it."""
        given = LIFTED | dict(env or {})
        if self.kafka is not None:
            given["KAFKA_BOOTSTRAP_SERVERS"] = self.kafka.bootstrap_servers
            given |= self._fresh_topics()
        with Stack(
            directory=self._directory,
            isolated=True,
            env=given,
            workers=workers,
            copies=copies,
            standin_delay=standin_delay,
            report=self.tell,
        ) as stack:
            yield stack

    def _fresh_topics(self) -> dict[str, str]:
        """Settings that name topics nobody has used yet: a log of an earlier stack is not ours."""
        number = next(self._stacks)
        return {setting: f"{name}.{number}" for setting, name in TOPIC_SETTINGS.items()}

    def pids(self, stack: Stack) -> dict[str, int]:
        pids = dict(stack.pids)
        if self.kafka is not None:
            pids["kafka"] = self.kafka.pids[1]
        return pids

    @contextmanager
    def spending(self, stack: Stack) -> Iterator[dict[str, float]]:
        """CPU seconds by process in this block; filled when it ends."""
        before = usage.cpu_seconds(self.pids(stack))
        used: dict[str, float] = {}
        yield used
        used |= usage.spent(before, usage.cpu_seconds(self.pids(stack)))

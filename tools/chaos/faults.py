"""What goes wrong, and when: processes every 1 to 3 s, servers now and then."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import redis

from devstack.errors import StackError
from devstack.kafka.cluster import ApacheKafka
from devstack.stack import Stack

PROCESSES = ("web", "bridge", "worker-storage", "worker-ai", "worker-webhooks")
PROCESS_SECONDS = (1.0, 3.0)
KAFKA_DOWN_SECONDS = (0.5, 3.0)


class Faults:
    """Runs from `start()` to `stop()`; `counts` says what was done."""

    def __init__(
        self,
        stack: Stack,
        *,
        kafka: ApacheKafka | None,
        processes: Sequence[str],
        server_seconds: float,
        seed: int,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """One fault of a server every `server_seconds` or so, each kind in turn."""
        self._stack = stack
        self._kafka = kafka
        self._processes = processes
        self._server_seconds = server_seconds
        self._random = random.Random(seed)
        self._tell = tell
        self._stop = threading.Event()
        self.counts: Counter[str] = Counter()
        self._servers: list[tuple[str, Callable[[], None]]] = [
            ("valkey flushed", self._flush),
            ("postgres restarted", lambda: stack.kill("postgres", signal.SIGINT)),
            *([("kafka killed", self._kill_kafka)] if kafka else []),
            ("valkey killed", lambda: stack.kill("redis", signal.SIGKILL)),
            ("postgres killed", lambda: stack.kill("postgres", signal.SIGKILL)),
        ]
        self._threads = [
            threading.Thread(target=self._kill_processes, name="chaos-processes"),
            threading.Thread(target=self._disturb_servers, name="chaos-servers"),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when nothing is down by our hand any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _kill_processes(self) -> None:
        while not self._stop.wait(self._random.uniform(*PROCESS_SECONDS)):
            name = self._random.choice(self._processes)
            self._do(f"{name} killed", lambda name=name: self._stack.kill(name))  # type: ignore[misc]

    def _disturb_servers(self) -> None:
        turn = 0
        while not self._stop.wait(self._server_seconds * self._random.uniform(0.7, 1.3)):
            self._do(*self._servers[turn % len(self._servers)])
            turn += 1

    def _do(self, what: str, fault: Callable[[], None]) -> None:
        try:
            fault()
        except (StackError, redis.RedisError, OSError):
            return  # it is down already
        self.counts[what] += 1
        self._tell(what)

    def _flush(self) -> None:
        with redis.Redis.from_url(self._stack.info["redis_url"], socket_timeout=2) as client:
            client.flushall()

    def _kill_kafka(self) -> None:
        assert self._kafka is not None
        self._kafka.kill()
        self._stop.wait(self._random.uniform(*KAFKA_DOWN_SECONDS))
        self._kafka.start()

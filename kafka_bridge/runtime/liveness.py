"""Reports which loops of the bridge still turn, and whether Kafka answers."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.conf import settings
from redis.exceptions import RedisError

from resume_platform.observability import liveness

log = structlog.get_logger(__name__)

KAFKA_SECONDS = 2.0


class LoopLiveness:
    """When a loop last came round: it says so itself, and `stop` when it gives its work away."""

    def __init__(self) -> None:
        self._last: float | None = None

    def mark(self) -> None:
        self._last = time.monotonic()

    def stop(self) -> None:
        self._last = None

    @property
    def is_alive(self) -> bool:
        last = self._last
        return last is not None and time.monotonic() - last < liveness.SILENT_AFTER


def kafka_probe() -> Callable[[], bool]:
    """A function that says, within KAFKA_SECONDS, whether the cluster can be reached."""
    client = AdminClient(
        {
            "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
            "client.id": "resume-platform-liveness",
            # The others' clients log that a broker is away.
            "log_level": 0,
            # A cluster that came back is noticed soon.
            "reconnect.backoff.max.ms": 1000,
        }
    )
    topic = settings.KAFKA_TOPICS["uploading_data"]

    def probe() -> bool:
        try:
            client.list_topics(topic, timeout=KAFKA_SECONDS)
        except KafkaException:
            return False
        return True

    return probe


class LivenessReporter:
    """Runs until `stop` is set; `reaches_kafka` must end within a few seconds."""

    def __init__(
        self,
        stop: threading.Event,
        *,
        loops: Mapping[str, LoopLiveness],
        reaches_kafka: Callable[[], bool],
    ) -> None:
        self._stop = stop
        self._loops = loops
        self._reaches_kafka = reaches_kafka

    def run(self) -> None:
        while not self._stop.wait(liveness.REPORT_SECONDS):
            self.step()

    def step(self) -> None:
        alive = [name for name, loop in self._loops.items() if loop.is_alive]
        # First, since an absent Kafka takes a while to be noticed.
        self._report(liveness.BRIDGE, *alive)
        if self._reaches_kafka():
            self._report(liveness.KAFKA)

    def _report(self, *parts: str) -> None:
        try:
            liveness.report(*parts)
        except RedisError as error:
            log.warning("liveness.redis_away", error=type(error).__name__)

"""The bridge's signs of life: each part that still turns, and Kafka if it answers."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.conf import settings
from redis.exceptions import RedisError

from resume_platform import signs

log = structlog.get_logger(__name__)

KAFKA_SECONDS = 2.0


class Turning:
    """When a part last came round; it says so itself, `stop` when it gives its work away."""

    def __init__(self) -> None:
        self._last: float | None = None

    def mark(self) -> None:
        self._last = time.monotonic()

    def stop(self) -> None:
        self._last = None

    @property
    def is_alive(self) -> bool:
        last = self._last
        return last is not None and time.monotonic() - last < signs.SILENT_AFTER


def kafka_answers() -> Callable[[], bool]:
    """A question that the cluster answers within KAFKA_SECONDS, if it can be reached."""
    client = AdminClient(
        {
            "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
            "client.id": "resume-platform-pulse",
            # The others' clients log that a broker is away.
            "log_level": 0,
            # A cluster that came back is noticed soon.
            "reconnect.backoff.max.ms": 1000,
        }
    )
    topic = settings.KAFKA_TOPICS["uploading_data"]

    def ask() -> bool:
        try:
            client.list_topics(topic, timeout=KAFKA_SECONDS)
        except KafkaException:
            return False
        return True

    return ask


class Pulse:
    """Runs until `stop` is set; `reaches_kafka` must end within a few seconds."""

    def __init__(
        self,
        stop: threading.Event,
        *,
        parts: Mapping[str, Turning],
        reaches_kafka: Callable[[], bool],
    ) -> None:
        self._stop = stop
        self._parts = parts
        self._reaches_kafka = reaches_kafka

    def run(self) -> None:
        while not self._stop.wait(signs.SECONDS_BETWEEN):
            self.step()

    def step(self) -> None:
        alive = [name for name, turning in self._parts.items() if turning.is_alive]
        # First, since Kafka's silence takes a while.
        self._note(signs.BRIDGE, *alive)
        if self._reaches_kafka():
            self._note(signs.KAFKA)

    def _note(self, *parts: str) -> None:
        try:
            signs.note(*parts)
        except RedisError as error:
            log.warning("pulse.redis_away", error=type(error).__name__)

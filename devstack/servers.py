"""PostgreSQL, Redis and Kafka of one stack: those that the environment names, or embedded ones."""

from pathlib import Path

from devstack.embedded.kafka import EmbeddedKafka
from devstack.embedded.postgres import EmbeddedPostgres
from devstack.embedded.valkey import EmbeddedValkey
from devstack.environment import StackEnvironment
from devstack.process import Spec


class Servers:
    def __init__(
        self,
        directory: Path,
        environment: StackEnvironment,
        *,
        durable: bool,
        kafka_restarts: tuple[str, ...] = (),
    ) -> None:
        """`kafka_restarts`: who must learn the embedded broker's new address."""
        self.specs: list[Spec] = []
        self._postgres: EmbeddedPostgres | None = None
        if not environment.outside.redis:
            valkey = EmbeddedValkey(directory, password=environment.credentials["redis_password"])
            environment.use_redis(valkey.url)
            self.specs.append(valkey.spec())
        if not environment.outside.kafka:
            kafka = EmbeddedKafka(
                directory, topics=lambda: environment.topics, came_up=environment.use_kafka
            )
            self.specs.append(kafka.spec(restarts=kafka_restarts))
        if not environment.outside.postgres:
            self._postgres = EmbeddedPostgres(directory, durable=durable)
            environment.use_postgres(self._postgres.url())
            # Last: initdb takes a moment, in which the others come up.
            self.specs.append(self._postgres.spec())

    def remove_data(self) -> None:
        if self._postgres is not None:
            self._postgres.remove()

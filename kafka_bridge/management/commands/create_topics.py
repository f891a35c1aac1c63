"""`manage.py create_topics`: the topics of the contract, for a cluster that does not make them."""

import time
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

BROKERS_DEFAULT = -1


class Command(BaseCommand):
    help = (
        "Create the topics that do not exist, with KAFKA_TOPIC_PARTITIONS, "
        "KAFKA_TOPIC_RETENTION_HOURS and KAFKA_TOPIC_REPLICATION. An existing one is left as it is."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--wait",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="how long to wait for a broker that is still starting (default 60)",
        )

    def handle(self, *args: Any, wait: float, **options: Any) -> None:
        client = AdminClient({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS})
        existing = _topics(client, wait)
        wanted = sorted(set(settings.KAFKA_TOPICS.values()))
        for name in wanted:
            if name in existing:
                self.stdout.write(f"{name}: exists with {existing[name]} partitions, left as it is")
        missing = [name for name in wanted if name not in existing]
        if not missing:
            return
        for name, created in client.create_topics([_new(name) for name in missing]).items():
            self._report(name, created)

    def _report(self, name: str, created: "Future[None]") -> None:
        try:
            created.result()
        except KafkaException as error:
            problem = error.args[0]
            if problem.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise CommandError(f"{name} could not be created: {problem.str()}.") from error
            self.stdout.write(f"{name}: somebody else created it just now, left as it is")
        else:
            self.stdout.write(f"{name}: created with {settings.KAFKA_TOPIC_PARTITIONS} partitions")


def _new(name: str) -> NewTopic:
    retention = settings.KAFKA_TOPIC_RETENTION_HOURS * 3_600_000
    return NewTopic(
        name,
        num_partitions=settings.KAFKA_TOPIC_PARTITIONS,
        replication_factor=settings.KAFKA_TOPIC_REPLICATION or BROKERS_DEFAULT,
        config={"retention.ms": str(retention), "cleanup.policy": "delete"},
    )


def _topics(client: AdminClient, wait: float) -> dict[str, int]:
    """Partitions of each topic there is. Raises CommandError if no broker answers in time."""
    deadline = time.monotonic() + wait
    while True:
        try:
            topics = client.list_topics(timeout=5).topics
        except KafkaException as error:
            if time.monotonic() < deadline:
                continue
            raise CommandError(
                f"No Kafka broker answered at {settings.KAFKA_BOOTSTRAP_SERVERS}: "
                f"{error.args[0].str()}."
            ) from error
        return {name: len(topic.partitions) for name, topic in topics.items()}

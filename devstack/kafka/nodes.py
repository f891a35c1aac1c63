"""Nodes of an Apache Kafka cluster in KRaft mode, each a broker and a controller, as specs."""

import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from devstack.errors import StackError
from devstack.kafka.artifacts import jars, java
from devstack.ports import HOST, free_port
from devstack.process import Spec
from devstack.readiness import TIMEOUT_SECONDS, port_answers

DEFAULT_PARTITIONS = 4
JVM_OPTIONS = (
    # For many short lives on few cores: no second compiler, no collector threads.
    *("-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class Node:
    """One node: its ports, its log on disk, and how it is run."""

    def __init__(self, cluster: "KafkaNodes", number: int, port: int) -> None:
        self.number = number
        self.name = f"kafka-{number}" if cluster.count > 1 else "kafka"
        self.address = f"{HOST}:{port}"
        self.controller = f"{HOST}:{free_port()}"
        self._cluster = cluster
        self._home = cluster.directory / f"kafka-node-{number}"

    @property
    def data(self) -> Path:
        return self._home / "log"

    def spec(self) -> Spec:
        return Spec(
            name=self.name,
            command=self._command,
            environment=_environment,
            prepare=self._prepare,
            ready=lambda process: self._answers(),
            stop_seconds=10.0,
        )

    def forget(self) -> None:
        """Drop the log: the next start finds an empty one."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _answers(self) -> bool:
        """Whether the cluster counts this node among its brokers."""
        host, _, port = self.address.rpartition(":")
        if not port_answers(host, int(port)):
            return False
        try:
            client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            brokers = client.list_topics(timeout=TIMEOUT_SECONDS).brokers
        except KafkaException:
            return False
        return self.number in brokers

    def _command(self) -> list[str]:
        return [*_java(self._cluster.jars), "kafka.Kafka", str(self._home / "server.properties")]

    def _prepare(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        properties = self._home / "server.properties"
        lines = [f"{name}={value}\n" for name, value in self._settings().items()]
        properties.write_text("".join(lines), encoding="utf-8")
        if (self.data / "meta.properties").exists():
            return
        run = subprocess.run(
            [
                *_java(self._cluster.jars),
                *("kafka.tools.StorageTool", "format", "--config", str(properties)),
                *("--cluster-id", self._cluster.cluster_id),
            ],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            raise StackError(f"Kafka's log could not be formatted: {run.stderr.strip()[-500:]}")

    def _settings(self) -> dict[str, str]:
        nodes = self._cluster.nodes
        copies = str(min(3, len(nodes)))
        in_sync = str(min(2, len(nodes)))
        return {
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "controller.quorum.voters": ",".join(f"{n.number}@{n.controller}" for n in nodes),
            "listeners": f"BROKER://{self.address},CONTROLLER://{self.controller}",
            "advertised.listeners": f"BROKER://{self.address}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.data),
            "num.partitions": str(DEFAULT_PARTITIONS),
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
            # A dead node is missed after this; the default of 9 s makes failover tests slow.
            "broker.session.timeout.ms": "4000",
            "broker.heartbeat.interval.ms": "500",
            "group.initial.rebalance.delay.ms": "50",
            "group.min.session.timeout.ms": "1000",
            "log.cleaner.dedupe.buffer.size": "4194304",
            "num.network.threads": "2",
            "num.io.threads": "4",
            **self._cluster.settings,
        }


class KafkaNodes:
    """A cluster that is not running by itself: `specs()` goes to a Supervisor, or see `cluster`.

    `port` is the first node's; the others pick free ones. `settings` are Kafka's own and win.
    """

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int = 1,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.directory = directory.resolve()
        self.count = nodes
        self.settings = dict(settings or {})
        self.jars = jars(tell=tell)
        self.cluster_id = new_cluster_id()
        self.nodes = [
            Node(self, number, port if port and number == 1 else free_port())
            for number in range(1, nodes + 1)
        ]

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(node.address for node in self.nodes)

    def specs(self) -> list[Spec]:
        return [node.spec() for node in self.nodes]

    def remove(self) -> None:
        """Drop every log."""
        for node in self.nodes:
            node.forget()


def new_cluster_id() -> str:
    """As Kafka's own tool makes them: a random UUID in 22 characters of base64."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # it would be taken for an option
            return text


def _java(directory: Path) -> Sequence[str]:
    return [java(), *JVM_OPTIONS, "-cp", f"{directory}/*"]


def _environment() -> dict[str, str]:
    """Without what would change the JVM or Kafka behind our back."""
    kept_out = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    return {name: value for name, value in os.environ.items() if name not in kept_out}

"""An Apache Kafka whose nodes a test, a benchmark or a chaos run starts, kills and wipes itself."""

from collections.abc import Callable
from pathlib import Path

from devstack.kafka.nodes import KafkaNodes, new_cluster_id
from devstack.supervisor import Supervisor


class ApacheKafka:
    """`with ApacheKafka(tmp_path, nodes=3) as kafka: kafka.kill(1); kafka.start(1)`.

    Nobody starts a killed node again but the caller. Nodes keep their ports and, unless `wipe` is
    called between, their logs. Everything ends with the process that made it, and the logs go.
    """

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int = 1,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._cluster = KafkaNodes(directory, nodes=nodes, tell=tell)
        self._supervisor = Supervisor(
            self._cluster.specs(), log_dir=directory, record=directory / "kafka-processes.json"
        )

    @property
    def bootstrap_servers(self) -> str:
        return self._cluster.bootstrap_servers

    @property
    def pids(self) -> dict[int, int]:
        """Of the nodes that run, by number."""
        pids = self._supervisor.pids
        return {n.number: pids[n.name] for n in self._cluster.nodes if n.name in pids}

    def start(self, number: int = 1) -> None:
        """Start a node that is down; returns when it answers."""
        self._supervisor.release(self._name(number))
        self._supervisor.wait_ready(timeout=60.0)

    def kill(self, number: int = 1) -> None:
        """SIGKILL; returns when it is dead."""
        self._supervisor.hold(self._name(number))

    def wipe(self, number: int = 1, *, new_identity: bool = False) -> None:
        """Lose a node's log while it is down; with `new_identity` it comes back as another cluster.

        A new identity makes sense with one node only.
        """
        self._cluster.nodes[number - 1].forget()
        if new_identity:
            self._cluster.cluster_id = new_cluster_id()

    def __enter__(self) -> "ApacheKafka":
        self._supervisor.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._supervisor.stop()
        self._cluster.remove()

    def _name(self, number: int) -> str:
        return self._cluster.nodes[number - 1].name

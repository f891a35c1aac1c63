"""An Apache Kafka whose nodes a test, a benchmark or a chaos run starts, kills and wipes itself."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from devstack import interrupts
from devstack.errors import StartFailed
from devstack.kafka.nodes import KafkaNodes, new_cluster_id
from devstack.process import Process, describe_exit
from devstack.process_groups import ProcessGroups

POLL_SECONDS = 0.05


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
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._cluster = KafkaNodes(directory, nodes=nodes, port=port, settings=settings, tell=tell)
        self._groups = ProcessGroups(directory / "kafka-processes.json")
        self._processes = {
            node.number: Process(node.spec(), log=directory / f"{node.name}.log")
            for node in self._cluster.nodes
        }

    @property
    def bootstrap_servers(self) -> str:
        return self._cluster.bootstrap_servers

    @property
    def cluster_id(self) -> str:
        return self._cluster.cluster_id

    @property
    def pids(self) -> dict[int, int]:
        """Of the nodes that run, by number."""
        return {n: p.pid for n, p in self._processes.items() if p.pid is not None}

    def start(self, number: int | None = None) -> None:
        """Start one node, or all that are down; returns when they answer."""
        wanted = [number] if number is not None else list(self._processes)
        started = [self._processes[n] for n in wanted if self._processes[n].pid is None]
        try:
            for process in started:
                process.spec.prepare()
                with interrupts.deferred():
                    process.start()
                    assert process.pid is not None
                    self._groups.add(process.pid)
            self._wait_ready(started)
        except BaseException:
            self.stop()
            raise

    def kill(self, number: int = 1) -> None:
        """SIGKILL; returns when it is dead."""
        self._end(self._processes[number], signal.SIGKILL)

    def halt(self, number: int = 1) -> None:
        """End one node in its own way."""
        self._end(self._processes[number], signal.SIGTERM)

    def wipe(self, number: int = 1, *, new_identity: bool = False) -> None:
        """Lose a node's log while it is down; with `new_identity` it comes back as another cluster.

        A new identity makes sense with one node only.
        """
        assert number not in self.pids
        self._cluster.nodes[number - 1].forget()
        if new_identity:
            self._cluster.cluster_id = new_cluster_id()

    def pause(self, number: int = 1) -> None:
        """SIGSTOP: the node holds its connections and answers nothing."""
        os.kill(self.pids[number], signal.SIGSTOP)

    def resume(self, number: int = 1) -> None:
        os.kill(self.pids[number], signal.SIGCONT)

    def stop(self) -> None:
        """Ends every node and drops the logs."""
        with interrupts.deferred():
            running = [p for p in self._processes.values() if p.pid is not None]
            for process in running:
                process.ask_to_end()
            for process in running:
                self._end(process, signal.SIGTERM)
            self._groups.close()
        self._cluster.remove()

    def __enter__(self) -> "ApacheKafka":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_ready(self, processes: list[Process]) -> None:
        waiting = list(processes)
        while waiting:
            for process in waiting:
                if process.has_ended():
                    reason = describe_exit(self._groups.reap(process))
                    raise StartFailed(process.name, reason, process.log_tail())
                if time.monotonic() - process.started_at > process.spec.start_seconds:
                    raise StartFailed(process.name, "no answer", process.log_tail())
            waiting = [process for process in waiting if not process.check()]
            time.sleep(POLL_SECONDS)

    def _end(self, process: Process, number: signal.Signals) -> None:
        pid = process.pid
        if pid is None:
            return
        deadline = time.monotonic() + process.spec.stop_seconds
        if number is signal.SIGKILL:
            process.kill_group()
        else:
            process.ask_to_end()
        while not process.has_ended():
            if time.monotonic() > deadline:
                process.kill_group()
            time.sleep(0.01)
        self._groups.reap(process)

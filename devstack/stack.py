"""The whole system as separate processes, for `./dev up`, the demo and end-to-end tests."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from devstack.credentials import load_credentials
from devstack.directory_lock import DirectoryLock
from devstack.environment import StackEnvironment
from devstack.errors import StackError
from devstack.files import write_json
from devstack.parts import Parts
from devstack.paths import ALL_SETTINGS
from devstack.ports import HOST, free_port, is_free
from devstack.process_groups import end_leftovers
from devstack.servers import Servers
from devstack.settings_file import read_settings
from devstack.supervisor import Supervisor


class Stack:
    """`with Stack(directory=tmp_path, isolated=True, env={"AI_RPM": "1"}) as stack: stack.info`.

    Everything is kept in `directory`; two stacks never share one. `env` is laid over this
    process's environment; an empty value takes a variable away. A stack that is not `durable`
    takes its database with it when it stops.
    """

    def __init__(
        self,
        *,
        directory: Path,
        env: Mapping[str, str] | None = None,
        isolated: bool = False,
        durable: bool = False,
        web_port: int | None = None,
        standin_delay: float = 0.0,
        bridge_command: Sequence[str] | None = None,
        workers: Mapping[str, tuple[int, int]] | None = None,
        copies: Mapping[str, int] | None = None,
        report: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """
        `isolated`: what this process's environment says of the settings is not taken over.
        `standin_delay`: seconds that the OpenAI stand-in thinks before each answer.
        `bridge_command`: arguments for Python that run another bridge than production's.
        `workers`: threads and database connections by queue, where others than parts.WORKERS.
        `copies`: how many of `bridge`, or of a queue's worker; one where it says nothing.
        """
        self.directory = directory.resolve()
        self._given = {**(unset_settings() if isolated else os.environ), **(env or {})}
        self._durable = durable
        self._web_port = web_port
        self._standin_delay = standin_delay
        self._bridge_command = bridge_command
        self._workers = workers
        self._copies = copies
        self._report = report
        self._progress = progress
        self._lock = DirectoryLock(self.directory)
        self._publishing = threading.Lock()
        self._is_up = False

    # --- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Returns when everything answers. Raises StackError, with nothing left running."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._build()
            try:
                self._supervisor.start()
            except BaseException:
                self._remove_data()
                raise
        except BaseException:
            self._lock.release()
            raise
        self._is_up = True
        self._publish()

    def stop(self) -> None:
        with self._publishing:
            self._is_up = False
            self._stack_file.unlink(missing_ok=True)
        self._supervisor.stop()
        self._remove_data()
        self._lock.release()

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- while it runs ----------------------------------------------------------------------

    @property
    def info(self) -> dict[str, Any]:
        """As in `stack.json`."""
        values = self.environment.values
        api = f"http://{HOST}:{self._ports['web']}"
        user, _, password = values["FLOWER_BASIC_AUTH"].split(",")[0].partition(":")
        return {
            "api": api,
            "flower": f"http://{HOST}:{self._ports['flower']}",
            "admin": {
                "url": f"{api}/admin/",
                "username": values["DEV_STAFF_USERNAME"],
                "password": values["DEV_STAFF_PASSWORD"],
            },
            "database_url": values["DATABASE_URL"],
            "redis_url": values["REDIS_URL"],
            "kafka_bootstrap_servers": values["KAFKA_BOOTSTRAP_SERVERS"],
            "openai_base_url": values["OPENAI_BASE_URL"],
            "callback_sink": f"http://{HOST}:{self._ports['callback-sink']}",
            "flower_auth": [user, password],
            "metrics": self._scraped,
            "pids": self.pids,
        }

    @property
    def _scraped(self) -> dict[str, str]:
        """Where each process answers Prometheus."""
        ports = {name: self._ports[name] for name in ("web", "flower")} | self._parts.metrics_ports
        return {name: f"http://{HOST}:{port}/metrics" for name, port in ports.items()}

    @property
    def pids(self) -> dict[str, int]:
        return self._supervisor.pids

    @property
    def limits(self) -> dict[str, str]:
        """The limits that the stack chose itself."""
        return self.environment.limits

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> None:
        """Signals one process, not its children; the supervisor starts it again when it ends."""
        self._supervisor.kill(name, signal_number)

    def hold(self, name: str) -> None:
        """Kills one process as `kill` does; it stays down until `release`."""
        self._supervisor.hold(name)

    def release(self, name: str) -> None:
        self._supervisor.release(name)

    def restart(self, name: str) -> None:
        """Ends a part in its own way and waits until everything answers again."""
        self._supervisor.restart(name)
        self.wait_ready()

    def wait_ready(self, *, timeout: float = 30.0) -> None:
        self._supervisor.wait_ready(timeout=timeout)

    def log(self, name: str) -> str:
        return self._supervisor.log_of(name).read_text(encoding="utf-8", errors="replace")

    # --- inside -----------------------------------------------------------------------------

    @property
    def _stack_file(self) -> Path:
        return self.directory / "stack.json"

    def _build(self) -> None:
        record = self.directory / "processes.json"
        ended = end_leftovers(record)
        if ended:
            self._report(f"ended {ended} processes that an interrupted run had left")
        self._stack_file.unlink(missing_ok=True)
        logs = self.directory / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        self._ports = {name: free_port() for name in ("web", "flower", "callback-sink", "openai")}
        if self._web_port:
            if not is_free(self._web_port):
                raise StackError(f"port {self._web_port} is in use; choose another with --port.")
            self._ports["web"] = self._web_port
        self.environment = StackEnvironment(
            given=self._given, credentials=load_credentials(self.directory)
        )
        self._servers = Servers(
            self.directory, self.environment, durable=self._durable, kafka_restarts=("bridge",)
        )
        parts = Parts(self.environment, workers=self._workers, copies=self._copies)
        self._parts = parts
        specs = [parts.callback_sink(self._ports["callback-sink"])]
        if not self.environment.outside.openai:
            port = self._ports["openai"]
            self.environment.use_standin(f"http://{HOST}:{port}/v1")
            specs.append(parts.openai_standin(port, delay=self._standin_delay))
        specs += [
            *self._servers.specs,
            parts.migrate(),
            parts.staff(),
            *parts.bridges(self._bridge_command),
        ]
        if self.environment.outside.kafka:
            specs.append(parts.topics())
        web = parts.web(
            self._ports["web"],
            flower_port=self._ports["flower"],
            counts=self.directory / "web-metrics",
        )
        specs += [web, *parts.workers(), parts.flower(self._ports["flower"])]
        self._supervisor = Supervisor(
            specs,
            log_dir=logs,
            record=record,
            report=self._report,
            progress=self._progress,
            changed=self._publish,
        )

    def _remove_data(self) -> None:
        if not self._durable:
            self._servers.remove_data()

    def _publish(self) -> None:
        with self._publishing:
            if self._is_up:
                write_json(self._stack_file, self.info)


def unset_settings() -> dict[str, str]:
    """This process's environment without any setting of the system; its logs are in no file."""
    settings = read_settings(ALL_SETTINGS)
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    return kept | {"LOG_DIR": ""}

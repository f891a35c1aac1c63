"""The processes of the system beside its servers: what each runs and when it is ready."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from devstack.environment import StackEnvironment
from devstack.ports import HOST, free_port
from devstack.process import Process, Spec
from devstack.readiness import WorkerMailbox, http_answers

SERVERS = ("postgres", "redis", "kafka")
# As in the image.
WEB_PROCESSES, WEB_THREADS = 2, 8
# Queue, rows at once and database connections of each worker. A callback's thread holds no
# connection while it waits for its receiver, and there are many, so that slow receivers hold up
# nobody else.
# The heartbeat takes one as well.
WORKERS = {"storage": (2, 4), "ai": (8, 12), "webhooks": (640, 12)}
# What hands wake-ups out among the rows' threads.
CELERY_THREADS = 4
# For a LOG_LEVEL that hides the line by which the bridge says that it is ready.
SILENT_START_SECONDS = 6.0


class Parts:
    def __init__(
        self,
        environment: StackEnvironment,
        *,
        workers: Mapping[str, tuple[int, int]] | None = None,
        copies: Mapping[str, int] | None = None,
    ) -> None:
        """`workers`: other numbers than WORKERS has; `copies`: how many of `bridge` or a queue."""
        self._environment = environment
        self._workers = WORKERS | dict(workers or {})
        self._copies = copies or {}
        self.metrics_ports: dict[str, int] = {}
        """Where the bridges and workers answer scrapes."""

    def migrate(self) -> Spec:
        spec = self._python("migrate", "manage.py", "migrate", "--no-input")
        return replace(spec, after=SERVERS, one_shot=True)

    def topics(self) -> Spec:
        """For a Kafka of the environment's; the embedded one makes its topics itself."""
        spec = self._python("create-topics", "manage.py", "create_topics")
        return replace(spec, one_shot=True)

    def staff(self) -> Spec:
        spec = self._python("ensure-staff", "manage.py", "ensure_staff")
        return replace(spec, after=("migrate",), one_shot=True)

    def web(self, port: int, *, flower_port: int, counts: Path) -> Spec:
        """`counts`: where its processes count requests."""
        spec = self._python("web", *web_server("resume_platform.wsgi.application", port))
        environment = {
            "PROMETHEUS_MULTIPROC_DIR": str(counts),
            "FLOWER_HEALTH_URL": f"http://{HOST}:{flower_port}/healthcheck",
        }
        return replace(
            spec,
            environment=lambda: {**environment, **self._values("web")},
            after=("migrate",),
            ready=_answers(port, "/health"),
        )

    def bridges(self, command: Sequence[str] | None = None) -> list[Spec]:
        ready = self._says("intake.assigned")
        return [
            replace(
                self._python(name, *(command or ("manage.py", "run_bridge"))),
                environment=self._scraped(name),
                after=("migrate", "create-topics"),
                ready=ready,
            )
            for name in self._names("bridge")
        ]

    def workers(self) -> list[Spec]:
        return [
            self._worker(node, queue, *numbers)
            for queue, numbers in self._workers.items()
            for node in self._names(queue)
        ]

    def flower(self, port: int) -> Spec:
        spec = self._python(
            "flower",
            *("-m", "celery", "-A", "celery_app", "flower", f"--address={HOST}", f"--port={port}"),
        )
        # Not PostgreSQL, but like everyone it loads all settings.
        return replace(spec, after=("redis", "kafka"), ready=_answers(port, "/healthcheck"))

    def openai_standin(self, port: int, *, delay: float) -> Spec:
        spec = self._python(
            "openai-standin",
            *("-m", "devstack.openai_standin", "--port", str(port)),
            *(("--delay", str(delay)) if delay else ()),
        )
        return replace(spec, ready=_answers(port, "/healthz"))

    def callback_sink(self, port: int) -> Spec:
        spec = self._python("callback-sink", "-m", "devstack.callback_sink", "--port", str(port))
        return replace(spec, ready=_answers(port, "/healthz"))

    def _names(self, part: str) -> list[str]:
        """bridge, bridge-2, bridge-3: as many as there are copies, which may be none."""
        copies = self._copies.get(part, 1)
        return [part if number == 1 else f"{part}-{number}" for number in range(1, copies + 1)]

    def _worker(self, node: str, queue: str, threads: int, connections: int) -> Spec:
        name = f"worker-{node}"
        spec = self._python(
            name,
            *("-m", "celery", "-A", "celery_app", "worker", "--pool", "threads"),
            *("--concurrency", str(min(threads, CELERY_THREADS))),
            *("-Q", queue, "-n", f"{node}@%h"),
            # They would greet their neighbours for a second at each start, to no use here.
            *("--without-mingle", "--without-gossip"),
        )
        return replace(
            spec,
            environment=self._scraped(
                name, DATABASE_POOL_SIZE=str(connections), WORKER_THREADS=str(threads)
            ),
            after=("migrate",),
            prepare=lambda: self._mailbox(node).remove(),
            ready=lambda process: self._mailbox(node).exists(),
        )

    def _scraped(self, name: str, **defaults: str) -> Callable[[], Mapping[str, str]]:
        """Every process on this host needs a port of its own, whatever the environment says."""
        port = self.metrics_ports[name] = free_port()
        return lambda: {**defaults, **self._values(name), "METRICS_PORT": str(port)}

    def _mailbox(self, node: str) -> WorkerMailbox:
        values = self._environment.values
        broker_url = values.get("CELERY_BROKER_URL") or values["REDIS_URL"]
        return WorkerMailbox(broker_url, node=node)

    def _python(self, name: str, *arguments: str) -> Spec:
        return Spec(
            name=name,
            command=lambda: [sys.executable, *arguments],
            environment=lambda: self._values(name),
        )

    def _values(self, name: str) -> dict[str, str]:
        """The settings, and the name under which PostgreSQL lists the process's connections."""
        return {"PGAPPNAME": name, **self._environment.values}

    def _says(self, words: str) -> Callable[[Process], bool]:
        def check(process: Process) -> bool:
            if self._environment.values.get("LOG_LEVEL", "INFO") not in ("DEBUG", "INFO"):
                return time.monotonic() - process.started_at > SILENT_START_SECONDS
            return words in process.log_since_start()

        return check


def web_server(application: str, port: int) -> list[str]:
    """Python's arguments for the web server of a WSGI application."""
    return [
        *("-m", "resume_platform.web_server", "--application", application),
        *("--bind", f"{HOST}:{port}"),
        *("--processes", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)),
    ]


def _answers(port: int, path: str) -> Callable[[Process], bool]:
    return lambda process: http_answers(f"http://{HOST}:{port}{path}")

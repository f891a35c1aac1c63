"""Floor: an empty Django view, under the web server that the API runs under."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from devstack.parts import web_server
from devstack.ports import HOST, free_port
from devstack.process import Spec
from devstack.readiness import http_answers
from devstack.stack import Stack
from devstack.supervisor import Supervisor

SETTINGS = "tools.bench.floors.settings"


@contextmanager
def served(stack: Stack) -> Iterator[tuple[int, int]]:
    """The port and the process, while it answers."""
    port = free_port()
    spec = Spec(
        name="empty-view",
        command=lambda: [
            sys.executable,
            *web_server("tools.bench.floors.wsgi.application", port),
        ],
        environment=lambda: {**stack.environment.values, "DJANGO_SETTINGS_MODULE": SETTINGS},
        ready=lambda process: http_answers(f"http://{HOST}:{port}/"),
    )
    directory = stack.directory
    supervisor = Supervisor(
        [spec], log_dir=directory / "logs", record=directory / "empty-view.json"
    )
    supervisor.start()
    try:
        yield port, supervisor.pids["empty-view"]
    finally:
        supervisor.stop()

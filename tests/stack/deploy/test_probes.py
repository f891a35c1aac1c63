"""The probes' scripts against a server that answers, and one that does not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import start_http_server

from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from resume_platform.observability import exporter, metrics
from tests.stack.deploy.test_compose import SERVICES

PATH = SERVICES["bridge"]["healthcheck"]["test"][-1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows with each time that somebody asks the bridge for figures."""
    times: list[bool] = []

    def find() -> exporter.Values:
        times.append(True)
        return {metrics.OUTBOX_ROWS: {(): 1.0}}

    monkeypatch.setattr(exporter, "_sources", {"one": exporter.Source("one", "bridge", find)})
    return times


@pytest.fixture
def port() -> Iterator[int]:
    server, thread = start_http_server(free_port(), HOST, exporter.registry_of("bridge"))
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(5)


def check(port: int, path: str) -> int:
    command = [sys.executable, "docker/healthcheck.py", str(port), path]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def test_a_probe_of_the_metrics_port_asks_no_server_for_figures(asked: list[bool], port: int):
    assert check(port, PATH) == 0
    assert not asked
    assert check(port, "/metrics") == 0
    assert asked


def test_a_process_that_does_not_listen_is_not_healthy():
    assert check(free_port(), PATH) == 1

"""Requests are counted by route, and by all processes of the web server together."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from devstack.readiness import port_answers
from resume_platform.observability import metrics


def count(method: str, route: str, status: int) -> float:
    return metrics.HTTP_REQUESTS.labels(method, route, str(status))._value.get()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/health/live", "/health/live", 200),
        ("GET", "/get_resume?resume_id=1", "/get_resume", 401),
        ("GET", "/admin/auth/group/777/change/", "/admin/auth/group/<path:object_id>/change/", 302),
        ("GET", "/nothing/anna@example.com", "none", 404),
        ("POST", "/static/secret", "/static/", 404),
    ],
)
def test_a_request_counts_under_its_routes_pattern(
    client: Client, method: str, path: str, route: str, status: int
) -> None:
    before = count(method, route, status)
    assert client.generic(method, path).status_code == status
    assert count(method, route, status) == before + 1


@pytest.mark.django_db
def test_an_invented_method_is_no_label(client: Client) -> None:
    before = count("other", "/health/live", 405)
    assert client.generic("BREW", "/health/live").status_code == 405
    assert count("other", "/health/live", 405) == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize("hosts", [["api.example.com"], [".example.com"], ["*"]], ids=str)
def test_probes_and_scrapers_may_come_by_address(
    client: Client, settings: Any, hosts: list[str]
) -> None:
    settings.ALLOWED_HOSTS = hosts
    for path in ("/metrics", "/health", "/health/live"):
        assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
    expected = 200 if hosts == ["*"] else 400
    assert client.get("/docs", headers={"Host": "10.1.2.3:8000"}).status_code == expected


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Where the processes count; with what an earlier life left behind."""
    directory = tmp_path / "counts"
    directory.mkdir()
    (directory / "counter_1.db").write_bytes(b"old")
    return directory


@pytest.fixture
def two_processes(tmp_path: Path, counts: Path) -> Iterator[str]:
    port = free_port()
    log = tmp_path / "web.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "resume_platform.web_server"),
                *("--processes", "2", "--threads", "2", "--bind", f"{HOST}:{port}"),
            ],
            cwd=ROOT,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(counts)},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while not port_answers(HOST, port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://{HOST}:{port}/metrics"
    finally:
        server.terminate()
        server.wait(20)
    assert not counts.exists()


def test_any_process_tells_what_all_have_counted(two_processes: str, counts: Path) -> None:
    sent = 0
    # Of the parent, which counts nothing, and of two processes.
    while len(list(counts.glob("counter_*.db"))) < 3:
        assert sent < 500, "one of the processes takes no request"
        # A connection each, so that either process may take it.
        text = requests.get(two_processes, timeout=30).text
        found = re.search(
            r'http_requests_total{method="GET",route="/metrics",status="200"} (\S+)', text
        )
        # The one that is being answered is not counted yet.
        assert float(found.group(1) if found else 0) == sent
        sent += 1
    assert "process_start_time_seconds" in text
    [in_progress] = re.findall(r"^http_requests_in_progress (\S+)$", text, re.M)
    assert float(in_progress) == 1

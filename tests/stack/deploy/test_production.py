"""What production installs is enough to import every module and to start every process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from devstack.ports import HOST, free_port
from devstack.readiness import http_answers
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PACKAGES = ("apps", "kafka_bridge", "resume_platform", "staff")
IMPORT_ALL = f"""
import importlib, pkgutil
import celery_app, django
django.setup()
for package in {PACKAGES!r}:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print("imported")
"""
WORKER = ("-m", "celery", "-A", "celery_app", "worker", "--pool", "threads", "--concurrency", "2")
FLOWER = ("-m", "celery", "-A", "celery_app", "flower")
PROCESSES = {
    "web": (("-m", "resume_platform.web_server", "--bind", f"{HOST}:{{port}}"), "/health/live"),
    "bridge": (("manage.py", "run_bridge"), "/metrics"),
    "worker-storage": ((*WORKER, "-Q", "storage"), "/metrics"),
    "worker-ai": ((*WORKER, "-Q", "ai"), "/metrics"),
    "worker-webhooks": ((*WORKER, "-Q", "webhooks"), "/metrics"),
    "flower": ((*FLOWER, f"--address={HOST}", "--port={port}"), "/healthcheck"),
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a fresh environment with production's requirements alone."""
    environment = tmp_path_factory.mktemp("production")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    installed = str(environment / "bin" / "python")
    requirements = str(ROOT / "requirements" / "base.txt")
    subprocess.run(
        [installed, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements],
        check=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    return installed


@pytest.fixture
def environment(transactional_db: None) -> dict[str, str]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DATABASE_DIRECT_URL": url,
        "DJANGO_SETTINGS_MODULE": "resume_platform.settings",
        "LOG_DIR": "",
    }


def test_every_module_can_be_imported(python: str, environment: dict[str, str]) -> None:
    run = subprocess.run(
        [python, "-c", IMPORT_ALL], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.stdout.strip().endswith("imported"), run.stderr[-3000:]


@pytest.fixture
def started(
    request: Any, python: str, environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[str, "subprocess.Popen[bytes]", Path]]:
    arguments, path = PROCESSES[request.param]
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, *(argument.format(port=port) for argument in arguments)],
            cwd=ROOT,
            env={**environment, "METRICS_PORT": str(port), "METRICS_HOST": HOST},
            stdout=output,
            stderr=output,
        )
    yield f"http://{HOST}:{port}{path}", process, log
    process.kill()
    process.wait()


@pytest.mark.parametrize("started", PROCESSES, indirect=True)
def test_every_process_starts_answers_and_ends(
    started: tuple[str, "subprocess.Popen[bytes]", Path],
) -> None:
    url, process, log = started
    deadline = time.monotonic() + 90
    while not http_answers(url):
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
    process.terminate()
    assert process.wait(60) == 0, log.read_text()[-3000:]

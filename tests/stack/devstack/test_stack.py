"""The whole system under the supervisor: what it publishes, and that nothing outlives it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack.embedded.unprivileged import forget_directory
from devstack.parts import WORKERS

RUN = """
import sys, time
from pathlib import Path
from devstack.stack import Stack
Stack(directory=Path(sys.argv[1]), isolated=True, durable=True).start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    try:
        assert run.stdout.readline() == "up\n"
        yield run
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
        forget_directory(tmp_path / "postgres")


@pytest.mark.e2e
@pytest.mark.slow
def test_a_stack_publishes_its_parts_follows_restarts_and_leaves_nothing(stack, tmp_path):
    def published() -> dict[str, object]:
        return json.loads((tmp_path / "stack.json").read_text())

    info = published()
    pids = info["pids"]
    assert set(info) == {
        *("api", "flower", "admin", "database_url", "redis_url", "kafka_bootstrap_servers"),
        *("openai_base_url", "callback_sink", "flower_auth", "metrics", "pids"),
    }
    assert set(pids) == {
        *("web", "bridge", "flower", "postgres", "redis", "kafka"),
        *("openai-standin", "callback-sink"),
        *(f"worker-{queue}" for queue in WORKERS),
    }
    assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600

    os.kill(pids["kafka"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = published()
        if now["kafka_bootstrap_servers"] != info["kafka_bootstrap_servers"] and now["pids"].get(
            "bridge"
        ) not in (None, pids["bridge"]):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the bridge was not started again for the broker's new address")

    everyone = psutil.Process(stack.pid).children(recursive=True)
    stack.kill()
    gone, left = psutil.wait_procs(everyone, timeout=6)
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
    assert len(gone) + len(left) > len(pids)

"""The limits in real minutes: three workers, and the server's own count of the calls."""

import logging
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from devstack.client import received
from devstack.stack import Stack
from tests.e2e.client import REQUIREMENTS, RESUME, ApiClient, wait_for

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(420)]

JUDGEMENTS, RPM = 200, 60


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    limits = {"AI_RPM": str(RPM), "AI_RPD": "100000", "AI_TPM": "100000000"}
    with Stack(directory=tmp_path, isolated=True, env=limits) as running:
        environment = {**os.environ, **running.environment.values, "DATABASE_POOL_SIZE": "4"}
        more = [
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "threads",
                 "--concurrency", "4", "-Q", "ai", "-n", f"ai-{number}@%h",
                 "--without-mingle", "--without-gossip"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for number in (2, 3)
        ]  # fmt: skip
        yield running
        for process in more:
            process.terminate()
        for process in more:
            process.wait(30)


def test_two_hundred_judgements_on_three_workers_keep_sixty_a_minute(stack: Stack) -> None:
    client = ApiClient(stack.info)
    requirements = client.post("/create_requirements/text", {"requirements": REQUIREMENTS})
    resumes = [
        client.post("/create_resume/text", {"resume": f"{RESUME}\nКурс номер {number}"})
        for number in range(JUDGEMENTS)
    ]
    sink = stack.info["callback_sink"]
    began = time.time()

    def start(resume: dict[str, int]) -> None:
        body = {**requirements, **resume, "callback_url": f"{sink}/hook"}
        client.post("/start_processing", body)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(start, resumes))
    started = time.time() - began
    callbacks = wait_for(
        lambda: (found := received(sink, "/hook")) and len(found) >= JUDGEMENTS and found, 300
    )
    took = time.time() - began
    control = stack.info["openai_base_url"].removesuffix("/v1") + "/_control"
    calls = sorted(requests.get(control, timeout=10).json()["call_times"])
    assert len(calls) == JUDGEMENTS + 1  # one rubric
    most = max(n + 1 - bisect_left(calls, at - 60) for n, at in enumerate(calls))
    # 201 calls at 60 a minute: 60 at once, the last 21 three minutes later.
    allowed = (len(calls) - 1) // RPM * 60
    log.info(
        "%.1f s for what the limit allows in %d s; at most %d calls in 60 s; starting took %.1f s",
        took, allowed, most, started,
    )  # fmt: skip
    assert most <= RPM
    assert took <= allowed * 1.1
    assert {"success" in record["body"] for record in callbacks} == {True}

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
from tests.stack.system.client import REQUIREMENTS, RESUME, ApiClient, wait_for

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(600)]

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

    def start(resume: dict[str, int]) -> float:
        body = {**requirements, **resume, "callback_url": f"{sink}/hook"}
        client.post("/start_processing", body)
        return time.time()

    with ThreadPoolExecutor(8) as threads:
        accepted = sorted(threads.map(start, resumes))
    callbacks = wait_for(
        lambda: (found := received(sink, "/hook")) and len(found) >= JUDGEMENTS and found, 420
    )
    control = stack.info["openai_base_url"].removesuffix("/v1") + "/_control"
    calls = sorted(requests.get(control, timeout=10).json()["call_times"])
    assert len(calls) == JUDGEMENTS + 1  # one rubric
    most = max(n + 1 - bisect_left(calls, at - 60) for n, at in enumerate(calls))
    allowed = earliest_end([accepted[0], *accepted]) - began
    took = calls[-1] - began
    log.info(
        "the last call after %.1f s, where the limit allows it after %.1f s; at most %d calls in"
        " 60 s; starting took %.1f s",
        took, allowed, most, accepted[-1] - began,
    )  # fmt: skip
    assert most <= RPM
    assert allowed >= (len(calls) - 1) // RPM * 60
    assert took <= allowed * 1.1
    assert {"success" in record["body"] for record in callbacks} == {True}


def earliest_end(asked: list[float]) -> float:
    """When the last of these can be called at RPM, if each is called as early as can be.

    By the times at which they were asked for, so that a slow machine is not taken for a slow queue.
    """
    called: list[float] = []
    for number, at in enumerate(asked):
        called.append(max(at, called[number - RPM] + 60) if number >= RPM else at)
    return called[-1]

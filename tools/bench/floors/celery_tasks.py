"""Floor: how many tasks that do nothing one worker of Celery gets through in a second."""

import os
import subprocess
import sys
import uuid

import redis

from devstack.errors import StackError
from devstack.paths import ROOT

THREADS = 8
WAIT_SECONDS = 60
APP = "tools.bench.floors.celery_app"


def tasks_per_second(redis_url: str, count: int) -> float:
    """The tasks wait in the queue before the worker starts; its start is not counted."""
    environment = {**os.environ, "BENCH_REDIS_URL": redis_url}
    first, last = _keys()
    publish = (
        f"from {APP} import empty, stamp\n"
        f"stamp.delay({first!r})\n"
        f"for n in range({count}): empty.delay([n])\n"
        f"stamp.delay({last!r})\n"
    )
    subprocess.run([sys.executable, "-c", publish], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "celery", "-A", APP, "worker", "--pool", "threads"]
    command += ["--concurrency", str(THREADS), "-n", "floor@%h", "--loglevel", "WARNING"]
    command += ["--without-mingle", "--without-gossip"]
    worker = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=WAIT_SECONDS + 5) as client:
            return count / (_stamp(client, last) - _stamp(client, first))
    finally:
        worker.terminate()
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _keys() -> tuple[str, str]:
    name = uuid.uuid4().hex
    return f"bench:{name}:first", f"bench:{name}:last"


def _stamp(client: "redis.Redis", key: str) -> float:
    answer = client.blpop([key], timeout=WAIT_SECONDS)
    if answer is None:
        raise StackError("the empty tasks of the floor did not end.")
    return float(answer[1])

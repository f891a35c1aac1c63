"""What every gunicorn that is started in this directory has in common."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

worker_class = "resume_platform.gunicorn_worker.Worker"
logger_class = "resume_platform.logs.gunicorn.Logger"

# Each process counts in files of its own there, so that /metrics is the sum whoever answers it.
# prometheus_client looks for the variable when it is first imported, so not above.
_COUNTS = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="web-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _COUNTS


def on_starting(server: Any) -> None:
    """Files of an earlier life would be added up too."""
    Path(_COUNTS).mkdir(parents=True, exist_ok=True)
    for file in Path(_COUNTS).glob("*.db"):
        file.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """Forgets what a process had in progress; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    shutil.rmtree(_COUNTS, ignore_errors=True)

"""What a reader must know of the machine before believing a wall-clock figure."""

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from devstack.paths import ROOT


def describe() -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": _commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "load_average": load_average(),
    }


def load_average() -> float:
    """Processes that ran or waited to, over the last minute: ours are among them."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """With a plus when files differ from it; empty outside of a checkout."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()

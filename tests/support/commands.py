"""Runs `manage.py` as an operator of a running stack would."""

import subprocess
import sys

from devstack.stack import Stack
from tests.support.paths import ROOT


def manage(stack: Stack, *arguments: str) -> str:
    """What the command printed; fails with what it complained of."""
    run = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(stack.environment.values),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout

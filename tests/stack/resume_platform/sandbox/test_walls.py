"""What a child of the sandbox cannot do, tried as root's child and as an ordinary user's."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from devstack.paths import ROOT
from resume_platform import sandbox
from resume_platform.sandbox import child
from tests.stack.resume_platform.sandbox import trespassing

ORDINARY = 10001
FUNCTIONS = trespassing.__name__


@pytest.mark.parametrize("uid", [0, ORDINARY], ids=["as root", "as an ordinary user"])
def test_a_child_can_do_nothing_but_compute(uid: int) -> None:
    """`./dev test tests/stack/resume_platform/sandbox -s` prints the table."""
    if os.getuid() != 0 and uid == 0:
        pytest.skip("only root can try as root")
    who = {"user": uid, "group": uid, "extra_groups": []} if os.getuid() == 0 else {}
    python = _python_of(who)
    # What the child attacks: its own user's process, with a secret.
    sleep = [python, "-I", "-c", "input()"]
    victim = subprocess.Popen(sleep, stdin=subprocess.PIPE, env={"SECRET": "x"}, **who)
    with victim:
        ran = subprocess.run(
            [python, "-I", "-B", child.__file__, ROOT, f"{FUNCTIONS}:try_everything"],
            input=str(victim.pid).encode(),
            stdout=subprocess.PIPE,
            env={},
            check=True,
            **who,
        )
        victim.kill()
    found = json.loads(ran.stdout)

    for attempt, is_done in found["done"].items():
        print(f"{'DONE' if is_done else 'refused':8} {attempt}")  # noqa: T201
    assert not any(found["done"].values())
    assert set(found["environment"]) <= {"LC_CTYPE"}  # Python's own


def _python_of(who: dict[str, object]) -> str:
    """An interpreter that this user may start: the tests' own may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run([python, "-I", "-c", ""], check=True, **who)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("an ordinary user finds no Python here")


@pytest.mark.parametrize(
    ("function", "seconds", "verdict"),
    [
        ("spin", 1.0, sandbox.SandboxBusy),
        ("spin", 60.0, sandbox.SandboxKilled),
        ("crash", 60.0, sandbox.SandboxKilled),
        ("repeat", 60.0, sandbox.SandboxKilled),
    ],
    ids=["out of time", "out of its time of a core", "crashed", "answered too much"],
)
def test_a_child_that_misbehaves_is_ended_and_reaped(
    function: str, seconds: float, verdict: type[Exception]
) -> None:
    others = set(psutil.Process().children())  # a whole run has servers of other tests
    started = time.monotonic()

    with pytest.raises(verdict):
        sandbox.run(f"{FUNCTIONS}:{function}", b"x" * 1_000, owner=1, most=1_000, seconds=seconds)

    assert time.monotonic() - started < 50
    assert set(psutil.Process().children()) <= others


def test_an_answer_of_the_largest_size_comes_back_whole() -> None:
    answer = sandbox.run(f"{FUNCTIONS}:repeat", b"x" * 5_000, owner=1, most=5_000_000)
    assert answer == b"x" * 5_000_000

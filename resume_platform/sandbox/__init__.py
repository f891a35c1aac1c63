"""Runs a function in a child process that may be killed: for what may take long or swell.

The child is a fresh interpreter without an environment, behind the walls that `child` closes.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Hashable
from pathlib import Path

from resume_platform.sandbox import child
from resume_platform.sandbox.bulkhead import Bulkhead, SandboxBusy

__all__ = ["SandboxBusy", "SandboxKilled", "run"]

SECONDS = 9.0

_PLACES = Bulkhead()
_CHILD = Path(child.__file__)
_ROOT = _CHILD.parents[2]
_PIECE = 65_536


class SandboxKilled(Exception):
    """The child took too much time or memory, answered too much, or crashed."""


def run(
    function: str, argument: bytes, *, owner: Hashable, most: int, seconds: float = SECONDS
) -> bytes:
    """What `function`, a "module:name" that takes and returns bytes, makes of the argument.

    `most`: how many bytes it may answer. Raises SandboxKilled, and SandboxBusy where there is no
    place for the child or it was kept waiting for a core until the `seconds` were over.
    """
    deadline = time.monotonic() + seconds
    child.forbid_inspection()
    with _PLACES.place(owner, seconds=seconds), _started(function, argument) as process:
        try:
            answer = _read(process, most, deadline)
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise SandboxBusy from error
        finally:
            process.kill()
    if process.returncode == child.WALLS_FAILED:
        raise RuntimeError("the sandbox cannot close its walls on this machine")
    if process.returncode:
        raise SandboxKilled
    return answer


def _started(function: str, argument: bytes) -> "subprocess.Popen[bytes]":
    # A file in memory instead of a pipe: who reads slowly keeps nobody waiting.
    with open(os.memfd_create("argument"), "wb", buffering=0) as file:
        file.write(argument)
        file.seek(0)
        return subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD), str(_ROOT), function],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )


def _read(process: "subprocess.Popen[bytes]", most: int, deadline: float) -> bytes:
    assert process.stdout is not None
    answer = bytearray()
    poll = select.poll()
    poll.register(process.stdout)
    while poll.poll(1000 * max(0.0, deadline - time.monotonic())):
        piece = os.read(process.stdout.fileno(), _PIECE)
        if not piece:
            return bytes(answer)
        answer += piece
        if len(answer) > most:
            raise SandboxKilled
    raise subprocess.TimeoutExpired(process.args, deadline)

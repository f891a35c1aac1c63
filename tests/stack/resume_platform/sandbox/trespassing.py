"""Run in the sandbox's child: tries what it must not be able to do."""

import ctypes
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def try_everything(parent: bytes) -> bytes:
    """What came of each attempt. `parent`: the number of the process to attack."""
    pid = int(parent)
    attempts: dict[str, Callable[[], object]] = {
        "read the parent's environment": lambda: Path(f"/proc/{pid}/environ").read_bytes(),
        "read the first process's environment": lambda: Path("/proc/1/environ").read_bytes(),
        "read the parent's memory": lambda: _call("process_vm_readv", pid, 0, 0, 0, 0, 0),
        "trace the parent": lambda: _call("ptrace", 16, pid, 0, 0),
        "signal the parent": lambda: os.kill(pid, 0),
        "read /etc/passwd": lambda: Path("/etc/passwd").read_bytes(),
        "list a folder": lambda: os.listdir("/"),
        "write a file": lambda: Path(f"/tmp/trespass-{pid}").write_bytes(b""),
        "open a socket": socket.socket,
        "connect two sockets": socket.socketpair,
        "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "become a program": lambda: os.execv("/bin/sleep", ["sleep", "0"]),
        "fork": os.fork,
        "take 400 MB": lambda: bytes(400_000_000),
    }
    return json.dumps(
        {
            "environment": list(os.environ),
            "done": {name: _is_done(attempt) for name, attempt in attempts.items()},
        }
    ).encode()


def spin(argument: bytes) -> bytes:
    while True:
        pass


def crash(argument: bytes) -> bytes:
    os.abort()


def repeat(argument: bytes) -> bytes:
    return argument * 1_000


def _is_done(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError):
        return False
    return True


def _call(name: str, *arguments: int) -> None:
    if getattr(LIBC, name)(*map(ctypes.c_ulong, arguments)) == -1:
        raise OSError(ctypes.get_errno(), name)

"""The child process of the sandbox: imports a function, closes the walls, calls it once.

Run by its path, with nothing but the standard library: the package around it would bring Celery.
The argument is standard input; the answer goes to standard output.
"""

import codecs
import ctypes
import importlib
import os
import resource
import signal
import sys

MEMORY_BYTES = 300_000_000
CPU_SECONDS = 5
NOBODY = 65534
WALLS_FAILED = 70

# From linux/prctl.h, sched.h, seccomp.h, filter.h and audit.h.
_PDEATHSIG, _DUMPABLE, _SECCOMP, _NO_NEW_PRIVS = 1, 4, 22, 38
_FILTER_MODE = 2
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13  # EACCES
_NUMBER, _ARCHITECTURE = 0, 4  # places in struct seccomp_data

# What computing takes: memory, time, and the two pipes. No file can be opened, no process started
# or signalled, no socket made: whatever is not named here is refused.
_ALLOWED = {
    "x86_64": (0xC000003E, {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10,
        "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "exit": 60, "gettimeofday": 96,
        "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231,
        "getrandom": 318,
    }),
    "aarch64": (0xC00000B7, {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222,
        "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216, "madvise": 233, "exit": 93,
        "gettimeofday": 169, "futex": 98, "restart_syscall": 128, "clock_gettime": 113,
        "exit_group": 94, "getrandom": 278,
    }),
}  # fmt: skip

# A codec is read from its file when it is first used, and then no file can be opened any more.
_CODECS = (
    *("ascii", "charmap", "cp437", "cp866", "cp1251", "cp1252", "koi8-r", "latin-1", "utf-8-sig"),
    *("utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"),
)

_libc = ctypes.CDLL(None, use_errno=True)


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("start", ctypes.POINTER(_Instruction))]


def main(root: str, function: str) -> None:
    sys.path.insert(0, root)
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    for codec in _CODECS:
        codecs.lookup(codec)
    try:
        close_walls()
    except (OSError, KeyError, ValueError):
        os._exit(WALLS_FAILED)
    answer = call(sys.stdin.buffer.read())
    while answer:
        answer = answer[os.write(1, answer) :]
    os._exit(0)


def forbid_inspection() -> None:
    """No other process of this user reads the memory or the environment of this one."""
    _prctl(_DUMPABLE, 0)


def close_walls() -> None:
    """Give up all that computing does not need. Raises OSError, KeyError on other processors."""
    os.nice(10)
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(limit, (most, most))
    is_root = os.getuid() == 0
    # A network of its own, which has no interface: where the host lets us.
    _libc.unshare(_NEW_NETWORK if is_root else _NEW_USER | _NEW_NETWORK)
    if is_root:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _prctl(_PDEATHSIG, signal.SIGKILL)
    forbid_inspection()
    _prctl(_NO_NEW_PRIVS, 1)
    _refuse_system_calls()


def _refuse_system_calls() -> None:
    architecture, numbers = _ALLOWED[os.uname().machine]
    allowed = sorted(numbers.values())
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER),
        *((_JUMP_IF_EQUAL, len(allowed) - place, 0, n) for place, n in enumerate(allowed)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    program = _Program(
        len(steps), (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    )
    _prctl(_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def _prctl(option: int, *arguments: object) -> None:
    rest = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    rest += [ctypes.c_ulong(0)] * (4 - len(rest))
    if _libc.prctl(option, *rest):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    main(*sys.argv[1:])

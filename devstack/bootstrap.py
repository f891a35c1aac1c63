"""Makes the checkout's virtual environment, then runs `python -m devstack` in it.

Runs on the bare interpreter that `./dev` found, so it uses the standard library alone.

The environment lies in `.dev/venv-<key>`; the key hashes all that it is made from, so a changed
requirement, interpreter or place of the checkout leads to a new one. A file lock beside it is held
exclusively while it is made and shared by every `./dev` that uses it: two first runs do not
collide, and an environment in use is never removed. `.complete` is written last, so an interrupted
one is made again.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DEV_DIR = ROOT / ".dev"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
KEPT_OUT = ("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
UNREACHABLE = re.compile(
    r"connection broken by|NameResolutionError|Failed to establish a new connection|"
    r"Could not fetch URL|ConnectTimeoutError|Network is unreachable|ProxyError"
)
PROGRESS_SECONDS = 5.0


def main() -> None:
    """Never returns: replaces this process by the environment's Python."""
    make_dev_dir()
    environment = environment_dir()
    lock = lock_of(environment)
    fcntl.flock(lock, fcntl.LOCK_SH)
    while not ready(environment):
        fcntl.flock(lock, fcntl.LOCK_UN)
        if not try_exclusive(lock):
            say("another ./dev is making the virtual environment; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready(environment):
            make(environment)
        fcntl.flock(lock, fcntl.LOCK_SH)
    point_link_at(environment)
    os.set_inheritable(lock, True)
    os.chdir(ROOT)
    python = environment / "bin" / "python"
    os.execve(python, [str(python), "-m", "devstack", *sys.argv[1:]], clean_environ())


def make_dev_dir() -> None:
    try:
        DEV_DIR.mkdir(exist_ok=True)
        (DEV_DIR / ".writable").write_text("")
    except OSError as error:
        fail(f"{DEV_DIR} cannot be written ({error.strerror}); ./dev keeps all it makes there.")


def environment_dir() -> Path:
    if not REQUIREMENTS.exists():
        fail(f"{REQUIREMENTS.relative_to(ROOT)} is missing from this checkout.")
    digest = hashlib.sha256()
    for part in (sys.version, sys.base_prefix, platform.machine(), str(ROOT)):
        digest.update(part.encode() + b"\0")
    for file in sorted(REQUIREMENTS.parent.glob("*.txt")):
        digest.update(file.read_bytes() + b"\0")
    return DEV_DIR / f"venv-{digest.hexdigest()[:12]}"


def ready(environment: Path) -> bool:
    return (environment / ".complete").exists() and (environment / "bin" / "python").exists()


def lock_of(environment: Path) -> int:
    return os.open(environment.with_name(f"{environment.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)


def try_exclusive(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make(environment: Path) -> None:
    """Requires the exclusive lock."""
    version = platform.python_version()
    say(f"making a virtual environment with Python {version} (once; a minute or two)")
    remove_unused(keep=environment)
    shutil.rmtree(environment, ignore_errors=True)
    started = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-I", "-m", "venv", str(environment)],
        env=clean_environ(),
        capture_output=True,
        text=True,
    )
    if run.returncode != 0:
        reason = (run.stdout + run.stderr).strip().splitlines() or ["no message"]
        fail(f"{sys.executable} could not make a virtual environment: {reason[-1]}")
    install(environment)
    (environment / ".complete").write_text(version)
    say(f"the virtual environment is ready ({time.monotonic() - started:.0f} s)")


def install(environment: Path) -> None:
    log = DEV_DIR / "pip.log"
    count = sum(1 for _ in pins(REQUIREMENTS))
    command = [str(environment / "bin" / "python"), "-m", "pip", "install"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--retries", "2", "-r", str(REQUIREMENTS)]
    if "PIP_DEFAULT_TIMEOUT" not in os.environ:
        command += ["--timeout", "20"]
    unreachable = False
    with (
        log.open("w") as record,
        subprocess.Popen(
            command,
            env=clean_environ(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as pip,
    ):
        assert pip.stdout is not None
        collected, told = 0, time.monotonic()
        try:
            for line in pip.stdout:
                record.write(line)
                unreachable = unreachable or bool(UNREACHABLE.search(line))
                collected += line.startswith("Collecting ")
                if line.startswith("Installing collected"):
                    say("installing them")
                    told = float("inf")
                elif time.monotonic() - told > PROGRESS_SECONDS:
                    say(f"fetching packages ({min(collected, count)} of {count})")
                    told = time.monotonic()
        except KeyboardInterrupt:
            pip.kill()
            raise
    if pip.returncode == 0:
        return
    if unreachable:
        fail(
            "the Python package index cannot be reached, and ./dev needs it once to install "
            f"{REQUIREMENTS.relative_to(ROOT)} (details: {log.relative_to(ROOT)})."
        )
    errors = [line for line in log.read_text().splitlines() if line.startswith("ERROR")]
    fail(
        f"pip could not install {REQUIREMENTS.relative_to(ROOT)}: "
        f"{errors[0].removeprefix('ERROR: ') if errors else 'see'} "
        f"(details: {log.relative_to(ROOT)})."
    )


def pins(file: Path) -> Iterator[str]:
    """Every pinned requirement of a file and of the files that it includes."""
    for line in file.read_text().splitlines():
        include = re.match(r"\s*-r\s+(\S+)", line)
        if include:
            yield from pins(file.parent / include[1])
        elif re.match(r"[A-Za-z0-9]", line):
            yield line


def remove_unused(*, keep: Path) -> None:
    """Removes environments of earlier requirements that no running `./dev` holds."""
    for other in DEV_DIR.glob("venv-*"):
        if other == keep or not other.is_dir():
            continue
        lock = lock_of(other)
        if try_exclusive(lock):
            shutil.rmtree(other, ignore_errors=True)
        os.close(lock)


def point_link_at(environment: Path) -> None:
    """`.dev/venv` is for editors and people; `./dev` itself does not use it."""
    link = DEV_DIR / "venv"
    try:
        if not link.is_symlink() or os.readlink(link) != environment.name:
            fresh = DEV_DIR / f"venv.{os.getpid()}"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(environment.name)
            fresh.replace(link)
    except OSError:
        return


def clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in KEPT_OUT}


def say(sentence: str) -> None:
    print(f"dev: {sentence}", file=sys.stderr, flush=True)


def fail(sentence: str) -> NoReturn:
    sys.exit(f"dev: {sentence}")


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        fail("interrupted; run it again and it goes on from a clean state.")
    except OSError as error:
        fail(f"{error.filename or DEV_DIR}: {error.strerror}.")

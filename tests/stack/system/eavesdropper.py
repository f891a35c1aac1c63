"""Everything that Redis is told while a test runs."""

import threading
from types import TracebackType

import redis

# The apps' caches and counters, which hold texts by the contract; the rest is Celery's.
_CACHES = ("auth:", "uploads:", "storage:", "ai:", "notifications:", "platform:", "health:")


class Eavesdropper:
    """`with Eavesdropper(url) as heard:` then `heard.by_celery` and `heard.by_caches`."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._commands: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with self._client.monitor() as monitor:
            self._ready.set()
            for command in monitor.listen():
                self._commands.append(command["command"])
                if self._stop.is_set():
                    return

    def __enter__(self) -> "Eavesdropper":
        self._ready = threading.Event()
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._client.ping()  # something for it to hear, so that it looks at the flag
        self._thread.join(10)

    @property
    def by_caches(self) -> str:
        return "\n".join(command for command in self._commands if _is_cache(command))

    @property
    def by_celery(self) -> str:
        return "\n".join(command for command in self._commands if not _is_cache(command))


def _is_cache(command: str) -> bool:
    if command.startswith("EVAL"):  # a script comes first, or its digest
        return any(f" {namespace}" in command for namespace in _CACHES)
    return any(word.startswith(_CACHES) for word in command.split(" ", 4)[1:4])

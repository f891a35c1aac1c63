"""Who may start a child of the sandbox: few at once, one of each owner, a few wait a little."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

# Of each process. A child takes up to 300 MB and a core.
AT_ONCE = 2
# Running or waiting, each in a thread: two of the web process's eight stay free for others.
INSIDE = 6
INSIDE_OF_ONE_OWNER = 4
WAIT_SECONDS = 3.0


class SandboxBusy(Exception):
    """Nothing is wrong with the task, but the machine has no time for it now."""


class Bulkhead:
    """Places for running children, so that one owner's slow ones leave a place for the others'."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[Hashable] = Counter()
        self._running: set[Hashable] = set()

    @contextmanager
    def place(self, owner: Hashable, *, seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Raises SandboxBusy: at once where too many wait, else after some seconds."""
        with self._changed:
            if self._inside.total() >= INSIDE or self._inside[owner] >= INSIDE_OF_ONE_OWNER:
                raise SandboxBusy
            self._inside[owner] += 1
        try:
            with self._changed:
                if not self._changed.wait_for(
                    lambda: self._is_free(owner), min(seconds, WAIT_SECONDS)
                ):
                    raise SandboxBusy
                self._running.add(owner)
            try:
                yield
            finally:
                with self._changed:
                    self._running.remove(owner)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._inside -= Counter([owner])  # keeps no owner with none inside

    def _is_free(self, owner: Hashable) -> bool:
        return owner not in self._running and len(self._running) < AT_ONCE

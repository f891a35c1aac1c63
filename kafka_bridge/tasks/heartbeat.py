"""One thread per worker process that keeps the leases of running work alive."""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from kafka_bridge.tasks import leases

log = structlog.get_logger(__name__)


class Heartbeat:
    """Renews every held lease three times per lease's length, until it is released."""

    def __init__(self) -> None:
        self._held: Counter[uuid.UUID] = Counter()
        self._lock = threading.Lock()
        self._something_held = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keep(self, token: uuid.UUID) -> Iterator[None]:
        """Keep the leases under `token` alive until the last of its blocks ends."""
        with self._lock:
            self._held[token] += 1
            self._something_held.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._beat, name="lease-heartbeat", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held[token] -= 1
                if not self._held[token]:
                    del self._held[token]
                if not self._held:
                    self._something_held.clear()

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            if not self._something_held.is_set():
                connection.close()  # it may be long until there is something to renew
            self._something_held.wait()
            pause.wait(settings.LEASE_SECONDS / 3)
            with self._lock:
                tokens = list(self._held)
            if not tokens:
                continue
            try:
                leases.renew(tokens)
            except (DatabaseError, InterfaceError) as error:
                # The database is away: the next beat finds it again, or the lease runs out.
                log.warning("lease.renewal_failed", error=type(error).__name__)
                connection.close()


HEARTBEAT = Heartbeat()

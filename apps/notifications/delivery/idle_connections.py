"""Connections that are kept open between two callbacks to one host (HTTP/1.1 keep-alive).

For seconds only: within a batch the next callback is a moment away, and most receivers close what
is idle for longer. One is used again only by an attempt that may connect to its address anyway.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from apps.notifications.delivery.connection import CallbackConnection, Route

IDLE_SECONDS = 4.0
MAX_PER_HOST = 32
Origin = tuple[str, str, int, int]
"""Scheme, host, port, and the identity of the TLS context."""


class IdleConnections:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Origin, deque[tuple[float, CallbackConnection]]] = defaultdict(deque)
        self._sweeping = False

    def take(self, origin: Origin, route: Route) -> CallbackConnection | None:
        """The one that was used last, ready for `route`; None if there is none."""
        while True:
            with self._lock:
                kept = self._kept.get(origin)
                if not kept:
                    return None
                since, connection = kept.pop()
            fresh = self._clock() - since < IDLE_SECONDS
            # What can be read before we asked is a farewell.
            if fresh and connection.connected_to in route.addresses and connection.is_connected:
                connection.use(route)
                return connection
            connection.close()

    def keep(self, origin: Origin, connection: CallbackConnection) -> None:
        with self._lock:
            kept = self._kept[origin]
            if len(kept) < MAX_PER_HOST:
                kept.append((self._clock(), connection))
                if not self._sweeping:
                    self._sweeping = True
                    threading.Thread(target=self._sweep, name="idle", daemon=True).start()
                return
        connection.close()

    def close_old(self) -> bool:
        """Close what is idle for too long; whether any is left."""
        with self._lock:
            over = self._clock() - IDLE_SECONDS
            old = []
            for origin in list(self._kept):
                kept = self._kept[origin]
                while kept and kept[0][0] <= over:
                    old.append(kept.popleft()[1])
                if not kept:
                    del self._kept[origin]
            self._sweeping = bool(self._kept)
        for connection in old:
            connection.close()
        return self._sweeping

    def _sweep(self) -> None:
        while True:
            time.sleep(1)
            if not self.close_old():
                return


IDLE = IdleConnections()

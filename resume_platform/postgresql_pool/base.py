"""The backend: with a pool, connecting takes from it and closing gives back."""

import os
import threading
import time
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from resume_platform.postgresql_pool.alive import is_alive
from resume_platform.postgresql_pool.pool import Pool

_pools: dict[str, Pool] = {}
_making = threading.Lock()


def _pool_of(name: str) -> Pool:
    """The process's pool for a database of this name (tests have one of their own)."""
    with _making:
        if name not in _pools:
            _pools[name] = Pool(settings.DATABASE_POOL_SIZE)
        return _pools[name]


def _forget_all() -> None:
    for pool in _pools.values():
        pool.forget()


os.register_at_fork(after_in_child=_forget_all)


class DatabaseWrapper(base.DatabaseWrapper):
    _taken_from: Pool | None = None
    _seen_alive_at = 0.0

    def is_usable(self) -> bool:
        """Django wants to know once a request."""
        if self.connection is None or self.errors_occurred:
            return super().is_usable()
        is_usable = is_alive(self.connection, idle_since=self._seen_alive_at)
        self._seen_alive_at = time.monotonic()
        return is_usable

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not settings.DATABASE_POOL_SIZE:
            return super().get_new_connection(conn_params)
        pool = _pool_of(str(conn_params.get("dbname") or conn_params.get("database")))
        connect = super().get_new_connection
        connection = pool.take(lambda: connect(conn_params))
        self._taken_from = pool
        return connection

    def _close(self) -> None:
        pool, self._taken_from = self._taken_from, None
        if self.connection is None or pool is None:
            super()._close()  # type: ignore[misc]  # the stubs leave it out
            return
        with self.wrap_database_errors:
            pool.give_back(self.connection, is_good=not self.errors_occurred)

    def close_pool(self) -> None:
        for pool in list(_pools.values()):
            pool.close_idle()

"""Loopback TCP ports for the stack's servers."""

import random
import socket

from devstack.errors import StackError

HOST = "127.0.0.1"
# Below Linux's range for outgoing connections: a server that is started again on its port must not
# find that a client's connection has taken it in the meantime.
LOWEST, HIGHEST = 15_000, 32_000
_TRIES = 200
_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, never the same twice from one process."""
    for _ in range(_TRIES):
        port = random.randrange(LOWEST, HIGHEST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise StackError(f"no free TCP port was found on {HOST} between {LOWEST} and {HIGHEST}.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

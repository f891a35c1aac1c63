"""The stand-in as a server."""

from tests.support.stand_in import stand_in_server, standin  # noqa: F401

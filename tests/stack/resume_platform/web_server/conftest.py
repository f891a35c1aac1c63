"""The live server."""

from tests.stack.resume_platform.http.conftest import running_server, server  # noqa: F401

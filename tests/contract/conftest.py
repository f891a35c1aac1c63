"""The live server and the empty Redis of the other tiers."""

from tests.db.resume_platform.conftest import empty_redis  # noqa: F401
from tests.stack.resume_platform.http.conftest import running_server, server  # noqa: F401

"""One live server for the folder."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.resume_platform.http.live import Server


@pytest.fixture(scope="session")
def running_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Server]:
    with django_db_blocker.unblock(), Server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def server(running_server: Server, transactional_db: None) -> Server:
    """For tests that send real HTTP; the database is empty before and after, Redis before."""
    running_server.flush_redis()
    return running_server

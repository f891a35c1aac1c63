"""One server for the module's tests, its orders and counters cleared before each."""

from collections.abc import Iterator

import pytest

from tests.openai_standin.running import StandIn, running_stand_in


@pytest.fixture(scope="module")
def _server() -> Iterator[StandIn]:
    with running_stand_in() as standin:
        yield standin


@pytest.fixture
def standin(_server: StandIn) -> StandIn:
    _server.order(reset=True)
    return _server

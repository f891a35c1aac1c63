"""What the tests of the judgement share: the stand-in, a provider that asks it, empty marks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.ai import configured
from apps.ai.evaluation.files import read_file
from apps.ai.provider import Provider, ProviderConfig
from resume_platform.caching import cache_for, counters_for
from tests.openai_standin.running import StandIn, running_stand_in

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def _server() -> Iterator[StandIn]:
    with running_stand_in() as standin:
        yield standin


@pytest.fixture
def standin(_server: StandIn) -> StandIn:
    _server.order(reset=True)
    return _server


@pytest.fixture
def make_provider(standin: StandIn) -> Callable[..., Provider]:
    def make(**changes: Any) -> Provider:
        values: dict[str, Any] = {
            "api_key": "key-that-nobody-may-see",
            "base_url": standin.api_url,
            "model": "gpt-4.1-mini",
            "proxy": "",
            "timeout_seconds": 5.0,
        }
        return Provider(ProviderConfig(**values | changes))

    return make


@pytest.fixture
def empty_cache() -> None:
    """No marks, no limits used, no open circuit, no country remembered."""
    for namespace in (cache_for("ai"), counters_for("ai")):
        for key in namespace.redis.scan_iter("ai:*"):
            namespace.redis.delete(key)
    configured._egress.cache_clear()


@pytest.fixture(scope="session")
def example_resumes() -> dict[str, str]:
    return {path.name: read_file(path) for path in sorted((EXAMPLES / "resumes").iterdir())}

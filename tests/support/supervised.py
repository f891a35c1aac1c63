"""A supervisor for the processes that a test starts, stopped with them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.process import Spec
from devstack.supervisor import Supervisor


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*specs: Spec, **more: Any) -> Supervisor:
        supervisor = Supervisor(specs, log_dir=tmp_path, record=tmp_path / "record", **more)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()

"""Which tests run: those that need a real Kafka broker only with `./dev test --kafka=real`."""

import os

import pytest

_left_out: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("TEST_BROKER") == "real":
        return
    left_out = [item for item in items if item.get_closest_marker("real_kafka")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        _left_out.extend(item.nodeid for item in left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _left_out:
        terminalreporter.write_line(
            f"{len(_left_out)} tests need a real Kafka broker: ./dev test --kafka=real runs them."
        )

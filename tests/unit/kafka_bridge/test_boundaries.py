"""What the import rules cannot see: names of apps in the bridge, the bridge's tables in apps."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from kafka_bridge.contract.routes import ROUTES
from tests.support.paths import ROOT

BRIDGE = [
    path
    for path in sorted((ROOT / "kafka_bridge").rglob("*.py"))
    if "migrations" not in path.parts and path.name != "routes.py"
]
OTHERS = [
    path
    for package in ("apps", "resume_platform", "staff")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
APPS = {task.partition(".")[0] for tasks in ROUTES.values() for task in tasks} - {"bridge"}
# Topics and states that are called like an app.
HOMONYMS = {"contract/events.py": {"notifications"}}
TABLE = re.compile(r"\bkafka_bridge_[a-z]+\b")


def strings(path: Path) -> list[str]:
    """The strings of a module but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    ]


def test_the_apps_are_those_of_the_settings() -> None:
    assert set(settings.ENABLED_APPS) == APPS


@pytest.mark.parametrize("path", BRIDGE, ids=lambda path: path.name)
def test_the_bridge_names_no_app_outside_of_its_routes(path: Path) -> None:
    allowed = HOMONYMS.get(str(path.relative_to(ROOT / "kafka_bridge")), set())
    named = {
        word
        for word in strings(path)
        for app in APPS - allowed
        if re.fullmatch(rf"{app}([._][a-z_]+)?|apps\.{app}.*", word)
    }
    assert not named


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_app_reads_or_writes_the_bridges_tables(path: Path) -> None:
    assert not [word for word in strings(path) if TABLE.search(word)]

"""Which tests need servers, and how the tiers' results add up."""

from pathlib import Path

import pytest
import yaml

from devstack import lint
from devstack.paths import ROOT
from devstack.test_tiers import TIERS, Totals, tiers_at_once
from devstack.testing import needs_no_server

REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="passes" time="1.5"/>
<testcase classname="tests.a" name="fails" time="0.5"><failure/></testcase>
<testcase classname="tests.a" name="breaks in its teardown" time="0.1"><error/></testcase>
<testcase classname="tests.b" name="is skipped" time="2.0"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tests/unit"], True),
        (["tests/unit/devstack", "-x", "-k", "servers"], True),
        (["tests/unit/devstack/test_testing.py::test_one"], True),
        (["tests/unit", "tests/db"], False),
        (["tests/db"], False),
        (["tests"], False),
        (["tests/unit/../db"], False),
        (["-m", "slow"], False),
        (["-m", "slow", "--ignore", "tests/unit"], False),
        ([], False),
    ],
)
def test_servers_start_unless_only_unit_tests_are_named(arguments, expected):
    assert needs_no_server(arguments) is expected


def test_results_add_up_over_reports(tmp_path: Path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    totals = Totals()
    totals.add(report)
    totals.add(report)
    assert str(totals) == "2 passed, 4 failed, 2 skipped"
    assert totals.slowest()[0].endswith("tests.b::is skipped")


def test_tiers_that_would_share_a_server_run_one_after_another():
    assert tiers_at_once({"DATABASE_URL": "postgresql://host/db"}) == 1
    assert tiers_at_once({}) >= 1


def test_every_tier_is_a_folder_and_every_test_is_in_a_tier():
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in _tests()}
    assert folders == set(TIERS)


def _tests() -> list[Path]:
    return list((ROOT / "tests").rglob("test_*.py"))


def test_the_hooks_before_a_commit_run_what_lint_runs():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert hooks == [f"./dev lint {name}" for name in lint.CHECKS]

"""One module names every metric, and whatever is said of metrics elsewhere is true of it."""

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from resume_platform.observability import metrics
from resume_platform.observability.metrics import Figure
from tests.support.paths import ROOT
from tests.unit.resume_platform.observability.expressions import read

CATALOGUE = ROOT / "resume_platform" / "observability" / "metrics.py"
CODE = ("apps", "kafka_bridge", "resume_platform", "staff")
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
DOCUMENT = ROOT / "docs" / "metrics.md"
PROMTOOL = shutil.which("promtool")

METRIC_TYPES = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum", "Figure"} | {
    f"{kind}MetricFamily" for kind in ("Counter", "Gauge", "Histogram", "Summary", "Info")
}
# What Prometheus and its client libraries have of themselves.
FROM_OUTSIDE = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "process_start_time_seconds": set(),
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
}
# Put on every series by deploy/prometheus/prometheus.yaml.
OF_TARGETS = {"job", "instance", "worker"}


def catalogue() -> dict[str, tuple[str, str, set[str]]]:
    """Each metric's exposed name, with its type, help text and labels."""
    found = {}
    for value in vars(metrics).values():
        if isinstance(value, Figure):
            found[value.name] = ("gauge", value.help, set(value.labels))
        elif isinstance(value, MetricWrapperBase):
            name = value._name + ("_total" if value._type == "counter" else "")
            found[name] = (value._type, value._documentation, set(value._labelnames))
    return found


def exposed() -> dict[str, set[str]]:
    """Every name that a query may use, with its labels."""
    names = dict(FROM_OUTSIDE)
    for name, (kind, _, labels) in catalogue().items():
        if kind == "histogram":
            names |= {f"{name}_bucket": labels | {"le"}}
            names |= {f"{name}_sum": labels, f"{name}_count": labels}
        else:
            names[name] = labels
    return names


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def made_in(file: Path) -> set[str]:
    """The kinds of metrics that this module makes, under whatever name it imported them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(
            ("prometheus_client", "resume_platform.observability.metrics")
        )
        for alias in node.names
        if alias.name in METRIC_TYPES
    }
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    by_name = {call.id for call in calls if isinstance(call, ast.Name)} & imported
    by_module = {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute)
        and isinstance(call.value, ast.Name)
        and call.value.id in ("metrics", "prometheus_client")
    } & METRIC_TYPES
    return by_name | by_module


def test_no_metric_is_made_elsewhere() -> None:
    makers = {
        str(file.relative_to(ROOT)): made
        for directory in CODE
        for file in (ROOT / directory).rglob("*.py")
        if (made := made_in(file))
    }
    assert makers.keys() == {str(CATALOGUE.relative_to(ROOT))}


def test_each_metric_is_named_by_the_rules_and_says_what_it_is() -> None:
    for name, (kind, text, labels) in catalogue().items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z]", name), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert kind != "histogram" or name.endswith("_seconds"), name
        assert len(text) > 15, f"{name} has no help text"
        # Prometheus renames what it has itself.
        assert not labels & (OF_TARGETS - {"worker"} | {"le"}), name


def test_no_label_is_for_what_users_choose() -> None:
    chosen = {"user", "user_id", "host", "url", "path", "id", "processing_id", "event_id", "file"}
    for name, (_, _, labels) in catalogue().items():
        assert not labels & chosen, name


def test_the_document_describes_every_metric_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S.*?) \| (\S.*) \|$", DOCUMENT.read_text("utf-8"), re.M)
    described = {name: labels for name, labels, _ in rows}
    assert set(described) == set(catalogue())
    for name, (_, _, labels) in catalogue().items():
        assert set(re.findall(r"`(\w+)`", described[name])) == labels, name


@pytest.mark.parametrize(("where", "query"), [pytest.param(*q, id=q[0]) for q in queries()])
def test_every_query_asks_for_what_there_is(where: str, query: str) -> None:
    used = read(query)
    known = exposed()
    assert used.metrics, query
    assert used.metrics <= known.keys()
    labels = set[str]().union(*(known[name] for name in used.metrics))
    assert used.labels <= labels | OF_TARGETS


def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        notes = rule["annotations"]
        assert notes["summary"]
        assert notes["description"]
        assert notes["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_dashboards_panels_do_not_lie_on_each_other() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", str(ALERTS.parent / "prometheus.yaml")),
        ("check", "rules", str(ALERTS)),
        ("test", "rules", str(Path(__file__).parent / "alerts_test.yaml")),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_prometheus_own_tool_accepts_the_rules(command: tuple[str, ...]) -> None:
    run = subprocess.run([str(PROMTOOL), *command], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr

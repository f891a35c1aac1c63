"""A real Prometheus on the whole system: alerts fire, and the dashboard finds its figures."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from devstack.readiness import http_answers
from devstack.stack import Stack
from tests.stack.system.client import ApiClient, wait_for

SERVER = shutil.which("prometheus")
RULES = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(SERVER is None, reason="prometheus is not installed (Debian: prometheus)"),
]


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{self._url}/api/v1/query", params={"query": expression}, timeout=30
        ).json()
        assert answer["status"] == "success", (expression, answer.get("error"))
        return list(answer["data"]["result"])

    def down(self) -> set[tuple[str, str]]:
        """Each alert of a process or a part that is down, with whom it names.

        Other alerts may fire as well: other tests of this stack leave dead letters.
        """
        return {
            (labels["alertname"], labels.get("worker") or labels.get("part") or "")
            for labels in (row["metric"] for row in self.query('ALERTS{alertstate="firing"}'))
            if labels["alertname"] in ("ProcessDown", "PartDown")
        }


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """With the committed rules and intervals; the targets are this stack's."""
    directory = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((RULES / "prometheus.yaml").read_text(encoding="utf-8"))
    config["rule_files"] = [str(RULES / "alerts.yaml")]
    config["scrape_configs"] = [_job(name, url) for name, url in stack.info["metrics"].items()]
    file = directory / "prometheus.yaml"
    file.write_text(yaml.safe_dump(_joined(config)), encoding="utf-8")
    address = f"{HOST}:{free_port()}"
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(str(SERVER), f"--config.file={file}", f"--web.listen-address={address}"),
                f"--storage.tsdb.path={directory / 'data'}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: http_answers(f"http://{address}/-/ready"))
            yield Prometheus(f"http://{address}")
        finally:
            server.terminate()
            server.wait(30)


def _job(name: str, url: str) -> dict[str, Any]:
    kind = name.partition("-")[0]
    target: dict[str, Any] = {"targets": [urlsplit(url).netloc]}
    return {
        "job_name": kind,
        "static_configs": [target | ({"labels": {"worker": name}} if kind == "worker" else {})],
    }


def _joined(config: dict[str, Any]) -> dict[str, Any]:
    """One entry a job, as the committed file has it."""
    jobs: dict[str, dict[str, Any]] = {}
    for entry in config["scrape_configs"]:
        job = jobs.setdefault(entry["job_name"], {**entry, "static_configs": []})
        job["static_configs"] += entry["static_configs"]
    return {**config, "scrape_configs": list(jobs.values())}


def test_an_alert_names_who_was_killed_and_ends_when_it_is_back(
    stack: Stack, prometheus: Prometheus
) -> None:
    stack.wait_ready(timeout=60)
    wait_for(lambda: len(prometheus.query("up == 1")) == len(stack.info["metrics"]))
    wait_for(lambda: not prometheus.down(), 120)
    expected = {("ProcessDown", "worker-ai"), ("PartDown", "worker-ai")}
    stack.hold("worker-ai")
    try:
        wait_for(lambda: expected <= prometheus.down())
        assert prometheus.down() == expected
    finally:
        stack.release("worker-ai")
    stack.wait_ready(timeout=60)
    wait_for(lambda: not prometheus.down(), 120)


# What is there only while something waits or went wrong.
OFTEN_EMPTY = {
    "Alerts that fire",
    "New dead letters an hour",
    "Open dead letters",
    "Task rows",
}


def test_every_query_of_the_dashboard_is_understood_and_a_judgement_shows(
    client: ApiClient, prometheus: Prometheus
) -> None:
    client.judge().callback()
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = {
        panel["title"]: [
            target["expr"].replace("$__rate_interval", "1m") for target in panel["targets"]
        ]
        for panel in board["panels"]
        if panel["type"] != "row"
    }
    for title in OFTEN_EMPTY:
        for query in panels.pop(title):
            prometheus.query(query)  # understood, at least

    def shows_all() -> bool:
        """A rate has a value once a counter was scraped twice."""
        return all(any(map(prometheus.query, queries)) for queries in panels.values())

    wait_for(shows_all, 120)

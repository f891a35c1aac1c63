"""No text, token or secret is in logs, Flower, metrics, Celery's messages, traces or errors."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import requests

from devstack.stack import Stack
from tests.stack.system.client import wait_for
from tests.stack.system.eavesdropper import Eavesdropper
from tests.stack.system.markers import Markers
from tests.stack.system.mischief import FullRun
from tests.stack.traces.collector import Collector
from tests.support.stand_in import StandIn, running_stand_in

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

UNFINISHED = "SELECT 1 FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased')"
LETTERS = "SELECT source, reason FROM kafka_bridge_deadletter"
SECRETS = ("SECRET_KEY", "JWT_SIGNING_KEY", "DEV_STAFF_PASSWORD", "OPENAI_API_KEY")
# What is meant to be found, wherever it is looked for, or the search has looked at nothing.
CANARY = "canary-request-id"


class Said:
    """Everything the system said in one full run, by where it said it."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self.caches = ""

    def __setitem__(self, place: str, words: str) -> None:
        self.places[place] = words


@pytest.fixture(scope="module")
def markers() -> Markers:
    return Markers()


@pytest.fixture(scope="module")
def said(markers: Markers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    directory = tmp_path_factory.mktemp("searched")
    with running_stand_in() as ai, Collector() as collector:
        settings = {
            "OPENAI_BASE_URL": ai.api_url,
            "OPENAI_API_KEY": f"sk-{markers['key of the AI']}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "LOG_DIR": str(directory / "by-day"),
            "LOG_LEVEL": "DEBUG",
            "WEBHOOK_RETRY_SCHEDULE": "0.2,0.2",
            "LEASE_SECONDS": "3",
        }
        with Stack(directory=directory / "stack", isolated=True, env=settings) as stack:
            yield listen(stack, ai, collector, markers, directory)


def listen(
    stack: Stack, ai: StandIn, collector: Collector, markers: Markers, directory: Path
) -> Said:
    said = Said()
    learn_secrets(stack, markers)
    run = FullRun(stack, ai, markers)
    with Eavesdropper(stack.info["redis_url"]) as heard:
        run.play()
        run.client.session.headers["X-Request-ID"] = CANARY
        run.client.judge().callback()
        wait_until_all_is_done(stack)
        said["Flower"] = flower(stack)
        for process, url in stack.info["metrics"].items():
            auth = tuple(stack.info["flower_auth"]) if process == "flower" else None
            said[f"metrics of {process}"] = requests.get(url, auth=auth, timeout=30).text
    said["Celery's messages"], said.caches = heard.by_celery, heard.by_caches
    said["error bodies"] = "\n".join(run.errors)
    wait_for(lambda: any(s.name == "POST callback" for s in collector.spans))
    said["traces"] = "\n".join(body.decode("utf-8", "replace") for body in collector.bodies)
    for kind, logs in (("stdout", directory / "stack" / "logs"), ("file", directory / "by-day")):
        for file in sorted(logs.glob("[a-z]*")):
            said[f"{kind} of {file.name}"] = file.read_text("utf-8", "replace")
    return said


def learn_secrets(stack: Stack, markers: Markers) -> None:
    values = stack.environment.values
    for name in SECRETS:
        markers.also(name, values[name])
    for number, secret in enumerate(values["WEBHOOK_SECRET"].split()):
        markers.also(f"WEBHOOK_SECRET {number}", secret.removeprefix("whsec_"))
    markers.also("password of Redis", str(urlsplit(values["REDIS_URL"]).password))
    markers.also("password of the database", str(urlsplit(stack.info["database_url"]).password))
    markers.also("password of Flower", stack.info["flower_auth"][1])


def wait_until_all_is_done(stack: Stack) -> None:
    connection = psycopg2.connect(stack.info["database_url"])
    connection.autocommit = True

    def ask(sql: str) -> list[tuple[str, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    wait_for(lambda: not ask(UNFINISHED), 120)
    letters = ask(LETTERS)
    connection.close()
    reasons = {reason for _, reason in letters}
    assert {"not_json", "invalid", "unknown_key", "unexpected", "status_410"} <= reasons, letters


def flower(stack: Stack) -> str:
    """All that its API tells, and its pages of tasks and workers."""
    url, auth = stack.info["flower"], tuple(stack.info["flower_auth"])
    tasks = requests.get(f"{url}/api/tasks?limit=10000", auth=auth, timeout=30).json()
    paths = [
        "/api/workers?refresh=1",
        "/api/task/types",
        "/api/queues/length",
        "/workers",
        "/broker",
    ]
    paths += [f"/api/task/info/{task}" for task in tasks]
    answers = [requests.get(url + path, auth=auth, timeout=60).text for path in paths]
    return "\n".join([json.dumps(tasks), *answers])


PLACES = {
    "stdout of web.log": CANARY,
    "stdout of bridge.log": "intake.assigned",
    "stdout of worker-ai.log": CANARY,
    "stdout of worker-storage.log": CANARY,
    "stdout of worker-webhooks.log": CANARY,
    "stdout of flower.log": "flower.command",
    "stdout of postgres.log": "ready to accept connections",
    "file of web.log": CANARY,
    "file of bridge.log": "intake.assigned",
    "file of worker-ai.log": CANARY,
    "file of notification_service.log": CANARY,
    "Flower": "ai.analyze",
    "metrics of web": "# TYPE",
    "metrics of bridge": "# TYPE",
    "metrics of worker-ai": "# TYPE",
    "metrics of worker-storage": "# TYPE",
    "metrics of worker-webhooks": "# TYPE",
    "Celery's messages": 'LPUSH ai {"body"',
    "error bodies": "invalid_token",
    "traces": "process ai.analyze",
}


@pytest.mark.parametrize("place", PLACES)
def test_the_search_looks_at_what_was_said(said, place):
    assert PLACES[place] in said.places[place]


def test_the_search_finds_what_is_there_also_when_it_is_encoded(said, markers):
    """The caches hold texts by design: so markers did come through where we listened."""
    assert {"resume, good 0", "requirements, good 0"} <= set(markers.found_in(said.caches))
    canary = Markers()
    canary.also("name of a task", "notifications.deliver")
    canary.also("arguments of a task", '{"callbacks": null')
    assert set(canary.found_in(said.places["Celery's messages"])) == set(canary.words)


def test_no_marker_is_in_anything_that_was_said(said, markers):
    assert len(markers.words) > 60
    # It stands in for the clients, and tells what it received.
    ours = {place: words for place, words in said.places.items() if "callback-sink" not in place}
    found = {place: markers.found_in(words) for place, words in ours.items()}
    assert {place: names for place, names in found.items() if names} == {}


def test_every_line_of_our_processes_is_json(said):
    for place, words in said.places.items():
        name = place.removesuffix(".log").split(" of ")[-1]
        if place.startswith(("stdout of ", "file of ")) and name in (
            *("web", "bridge", "worker-ai", "worker-storage", "worker-webhooks", "flower"),
            "notification_service",
        ):
            assert [line for line in words.splitlines() if not is_event(line)] == [], place


def is_event(line: str) -> bool:
    try:
        return bool(json.loads(line)["event"])
    except (ValueError, KeyError):
        return False


def test_flower_lists_tasks_by_their_names_with_ids_alone(said):
    tasks = json.loads(said.places["Flower"].splitlines()[0])
    assert {"ai.analyze", "storage.apply", "notifications.deliver"} <= {
        task["name"] for task in tasks.values()
    }
    for task in tasks.values():
        [ids] = json.loads(task["args"])
        assert all(isinstance(number, int) for number in ids)
        assert task["kwargs"] == "{}"

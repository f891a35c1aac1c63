"""With a collector named, one processing is one trace, over all processes that had a part in it."""

import json
from collections.abc import Iterator

import pytest
import requests
from confluent_kafka import Producer

from devstack.stack import Stack
from tests.stack.system.client import ApiClient, Processing, wait_for
from tests.stack.traces.collector import Collector, Span

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

TRACEPARENT = "00-{trace}-{parent}-01"
# Each with the process it runs in and the span it comes after.
STAGES = [
    ("web", "POST /start_processing", None),
    ("web", "enqueue new_request", "POST /start_processing"),
    ("bridge", "send AI_handler", "enqueue new_request"),
    ("bridge", "receive AI_handler", "send AI_handler"),
    ("worker-webhooks", "process notifications.register", "receive AI_handler"),
    ("worker-ai", "process ai.analyze", "receive AI_handler"),
    ("worker-ai", "ask rubric", "process ai.analyze"),
    ("worker-ai", "ask judgement", "process ai.analyze"),
    ("worker-ai", "enqueue new_sending", "process ai.analyze"),
    ("worker-ai", "enqueue new_processing", "process ai.analyze"),
    ("bridge", "send uploading_data", "enqueue new_processing"),
    ("bridge", "receive uploading_data", "send uploading_data"),
    ("worker-storage", "process storage.apply", "receive uploading_data"),
    ("bridge", "send sending", "enqueue new_sending"),
    ("bridge", "receive sending", "send sending"),
    ("worker-webhooks", "process notifications.deliver", "receive sending"),
    ("worker-webhooks", "POST callback", "process notifications.deliver"),
]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="module")
def stack(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "WEBHOOK_TRACEPARENT": "true",
        "WEBHOOK_RETRY_SCHEDULE": "0.2,0.2",
        "LOG_DIR": "",
    }
    directory = tmp_path_factory.mktemp("traced")
    with Stack(directory=directory, isolated=True, env=settings) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> ApiClient:
    return ApiClient(stack.info)


def of(collector: Collector, trace: str) -> dict[str, Span]:
    return {span.id: span for span in collector.spans if span.trace == trace}


def stages(spans: dict[str, Span]) -> set[tuple[str, str, str | None]]:
    return {
        (s.service, s.name, spans[s.parent].name if s.parent in spans else None)
        for s in spans.values()
    }


def test_every_stage_of_a_processing_is_in_the_trace_of_its_request(collector, client):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    ids = client.upload()
    client.session.headers["traceparent"] = TRACEPARENT.format(trace=trace, parent=parent)
    callback = client.start(ids).callback()

    wait_for(lambda: set(STAGES) <= stages(of(collector, trace)), 30)
    spans = of(collector, trace)
    [request] = [s for s in spans.values() if s.name == "POST /start_processing"]
    assert request.parent == parent
    assert request.attributes["http.response.status_code"] == 200
    [post] = [s for s in spans.values() if s.name == "POST callback"]
    assert callback["headers"]["traceparent"].split("-")[1:3] == [trace, post.id]
    assert not any(span.has_failed for span in spans.values())


def test_an_attempt_that_failed_says_so_and_the_next_one_is_in_the_same_trace(collector, client):
    processing = client.judge("/flaky/1/traced")
    wait_for(lambda: len(processing.callbacks()) == 2)
    wait_for(
        lambda: (
            [s for s in collector.spans if s.attributes.get("error.type") == "status_500"]
            and len(deliveries(collector)) == 2
        ),
        30,
    )
    first, second = deliveries(collector)
    assert first.trace == second.trace
    assert (first.has_failed, second.has_failed) == (True, False)


def deliveries(collector: Collector) -> list[Span]:
    """The attempts of the delivery that failed once."""
    delivered = [s for s in collector.spans if s.name == "process notifications.deliver"]
    failed = {span.trace for span in delivered if span.has_failed}
    return [span for span in delivered if span.trace in failed]


def test_a_batch_links_to_the_traces_of_its_messages(stack, collector, client):
    batches = wait_for(lambda: many_at_once(stack, collector), 60)
    for batch in batches:
        parts = [s for s in collector.spans if batch.id in s.links]
        received = {s.id: s for s in collector.spans}
        assert {part.parent for part in parts} == set(batch.links)
        assert all(received[part.parent].trace == part.trace for part in parts)


def many_at_once(stack: Stack, collector: Collector) -> list[Span]:
    """Batches of more than one, whole: events of one moment come to storage together."""
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap_servers"]})
    for number in range(40):
        user = {"user_id": 900_000_000 + number, "username": "a@example.com", "full_name": None}
        user["created_at"] = "2026-01-01T00:00:00Z"
        producer.produce("uploading_data", json.dumps(user).encode(), b"new_user", partition=0)
    producer.flush(10)
    wait_for(lambda: any(len(s.links) > 1 for s in collector.spans), 10)
    known = {s.id for s in collector.spans}
    linked = {link for s in collector.spans for link in s.links}
    batches = [s for s in collector.spans if len(s.links) > 1]
    return batches if all(set(b.links) <= known and b.id in linked for b in batches) else []


def test_a_neighbours_message_begins_a_trace(stack, collector, client):
    request = {
        "callback_url": stack.info["callback_sink"] + "/hook/foreign-trace",
        "processing_id": 910_000_001,
        "user_id": 910_000_002,
        "resume_id": 910_000_003,
        "requirements_id": 910_000_004,
        "requirements": "Must have: Python, Docker",
        "resume": "I write Python and use Docker every day.",
    }
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap_servers"]})
    headers = [("traceparent", b"no traceparent at all"), ("request_id", b"two\nlines")]
    value = json.dumps(request).encode()
    producer.produce("AI_handler", value, b"new_request", partition=1, headers=headers)
    producer.flush(10)
    header = Processing(client, 910_000_001, "/hook/foreign-trace").callback()["headers"]
    trace = header["traceparent"].split("-")[1]
    wait_for(lambda: "POST callback" in {s.name for s in of(collector, trace).values()}, 30)
    roots = [s for s in of(collector, trace).values() if not s.parent]
    assert [root.name for root in roots] == ["receive AI_handler"]


def test_health_checks_are_not_traced(stack, collector):
    assert requests.get(stack.info["api"] + "/health", timeout=10).status_code == 200
    assert not [s for s in collector.spans if "health" in s.name]

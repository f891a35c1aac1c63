"""Callbacks: how many a second one fast receiver gets, of outcomes that lie in Kafka at once.

They are written as a neighbour's service would; every signature is verified by the public library.
"""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import requests
from standardwebhooks import Webhook

from devstack.errors import StackError
from devstack.stack import Stack
from tools.bench import broker
from tools.bench.figures import RATE, Figures
from tools.bench.rig import Rig

WAIT_SECONDS = 120.0
WARM_UP = 20


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(1000, 300)
    with rig.stack() as stack:
        _deliver(stack, WARM_UP)
        for _ in rig.each_run("callbacks"):
            with rig.spending(stack) as used:
                calls = _deliver(stack, count)
            seconds = calls[-1]["received_at"] - calls[0]["received_at"]
            figures.add("callbacks", (count - 1) / seconds, RATE)
            figures.add("CPU of worker-webhooks", used["worker-webhooks"] / count * 1000, "s/1,000")
    figures.remark("Every callback's signature was verified by the standardwebhooks library.")


def _deliver(stack: Stack, count: int) -> list[dict[str, Any]]:
    path = f"/bench/{secrets.token_hex(8)}"
    topic = stack.environment.values.get("KAFKA_TOPIC_SENDING", "sending")
    outcomes = _outcomes(count, stack.info["callback_sink"] + path)
    broker.produce(stack.info["kafka_bootstrap_servers"], topic, "new_sending", outcomes)
    calls = _arrived(stack, count, path)
    verifier = Webhook(stack.environment.values["WEBHOOK_SECRET"].split()[0])
    for call in calls:
        verifier.verify(call["body"], call["headers"])
    return calls


def _outcomes(count: int, url: str) -> Iterator[dict[str, Any]]:
    first = secrets.randbelow(2**52)
    for number in range(count):
        response = {
            "callback_url": url,
            "processing_id": first + number,
            "user_id": number % 50 + 1,
            "resume_id": 1,
            "requirements_id": 1,
            "score": 85,
            "matches": ["Python", "PostgreSQL"],
            "recommendation": "Meets what is asked for.",
            "verdict": "Suitable",
        }
        yield {"success": True, "response": response, "message_error": None, "wait_seconds": None}


def _arrived(stack: Stack, count: int, path: str) -> list[dict[str, Any]]:
    """The callbacks, each counted once, in the order of their arrival."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)
        answer = requests.get(
            f"{stack.info['callback_sink']}/received", params={"path": path}, timeout=30
        )
        first = {call["headers"]["webhook-id"]: call for call in reversed(answer.json())}
        if len(first) >= count:
            return sorted(first.values(), key=lambda call: call["received_at"])
    raise StackError(f"not all of {count} callbacks came within {WAIT_SECONDS:.0f} s.")

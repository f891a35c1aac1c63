"""`./dev bench callbacks`: how many callbacks a second one fast receiver gets.

The outcomes are written to Kafka at once, as a neighbour's service would; the figure is from the
first callback's arrival to the last one's, with every signature verified by the public library.
"""

import argparse
import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from confluent_kafka import Producer
from standardwebhooks import Webhook

from devstack import console
from devstack.errors import StackError
from devstack.paths import DEV_DIR
from devstack.stack import Stack

WAIT_SECONDS = 120.0
WARM_UP = 20


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench callbacks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures alone, as JSON")
    parser.add_argument("--callbacks", type=int, default=1000, help="how many (default 1000)")
    options = parser.parse_args(list(arguments))
    tell = (lambda sentence: None) if options.json else console.say
    with Stack(directory=DEV_DIR / "bench", report=tell, progress=tell) as stack:
        measure(stack, WARM_UP)
        figures = measure(stack, options.callbacks)
    if options.json:
        print(json.dumps({"callbacks": figures}))
    else:
        print(
            f"{figures['callbacks']} callbacks in {figures['seconds']} s:"
            f" {figures['per_second']} a second; {figures['verified']} signatures verified;"
            f" {figures['worker_cpu_ms']} ms of the worker's CPU for each."
        )
    return 0


def measure(stack: Stack, count: int) -> dict[str, Any]:
    path = f"/bench/{secrets.token_hex(8)}"
    spent = _cpu_seconds(stack)
    _produce(stack, count, stack.info["callback_sink"] + path)
    calls = _arrived(stack, count, path)
    seconds = calls[-1]["received_at"] - calls[0]["received_at"]
    spent = _cpu_seconds(stack) - spent
    verifier = Webhook(stack.environment.values["WEBHOOK_SECRET"].split()[0])
    for call in calls:
        verifier.verify(call["body"], call["headers"])
    return {
        "callbacks": count,
        "seconds": round(seconds, 2),
        "per_second": round((count - 1) / seconds, 1),
        "verified": len(calls),
        "worker_cpu_ms": round(spent / count * 1000, 2),
    }


def _cpu_seconds(stack: Stack) -> float:
    """What the worker used so far: load by others on the machine does not change it much."""
    stat = Path(f"/proc/{stack.pids['worker-webhooks']}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _produce(stack: Stack, count: int, url: str) -> None:
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap_servers"]})
    topic = stack.environment.values.get("KAFKA_TOPIC_SENDING", "sending")
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
        value = {"success": True, "response": response, "message_error": None, "wait_seconds": None}
        producer.produce(topic, json.dumps(value).encode(), b"new_sending")
    producer.flush(30)


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

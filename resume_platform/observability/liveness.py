"""Liveness: when each part of the system was last seen to work.

One hash in Redis on Redis' own clock, so that the clocks of hosts do not matter. Whoever can vouch
for a part reports it every few seconds; of several bridges or workers, one is enough.
"""

from functools import cache
from typing import Any

import redis
from django.conf import settings

from resume_platform.redis.cache import counters_for

REPORT_SECONDS = 3.0
# Three reports in a row did not come.
SILENT_AFTER = 10.0

BRIDGE, RELAY, INTAKE, DISPATCHER = "bridge", "relay", "intake", "dispatcher"
KAFKA = "kafka"

# The queue of each app that has workers.
QUEUES = {"storage": "storage", "ai": "ai", "notifications": "webhooks"}

_REPORT = """
local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
for _, part in ipairs(ARGV) do redis.call('HSET', KEYS[1], part, now) end
"""


def worker(queue: str) -> str:
    """The part that the workers of one queue are."""
    return f"worker-{queue}"


def expected_workers() -> list[str]:
    return [worker(queue) for app, queue in QUEUES.items() if app in settings.ENABLED_APPS]


def report(*parts: str) -> None:
    """These parts work, now. Raises RedisError."""
    namespace = counters_for("platform")
    _script(namespace.redis)(keys=[namespace.name("signs")], args=parts)


def ages() -> dict[str, float]:
    """Seconds since each part's last report. Raises RedisError."""
    namespace = counters_for("platform")
    pipeline = namespace.redis.pipeline(transaction=False)
    pipeline.time()
    pipeline.hgetall(namespace.name("signs"))
    (seconds, microseconds), reports = pipeline.execute()
    now = seconds + microseconds / 1e6
    return {part: max(0.0, now - float(seen)) for part, seen in reports.items()}


@cache
def _script(client: redis.Redis) -> Any:
    return client.register_script(_REPORT)

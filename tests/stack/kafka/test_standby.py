"""Two bridges as real processes: the one that relays is killed, the other takes over."""

import time

import pytest
from django.db import connection

from kafka_bridge.models import OutboxMessage
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import BridgeProcess, consume, enqueue, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 3.0


def test_the_standby_relays_within_seconds_of_a_sigkill(own_topics, tmp_path, handlers):
    environment = {"DATABASE_DIRECT_URL": ""}
    bridges = [BridgeProcess(tmp_path, environment, f"bridge-{n}") for n in range(2)]
    try:
        for bridge in bridges:
            wait_until(lambda bridge=bridge: bridge.says("bridge.started"), seconds=60)
        wait_until(lambda: any("relay.active" in bridge.log for bridge in bridges))
        enqueue(resume(1))
        wait_until(lambda: not OutboxMessage.objects.exists())
        active, standby = sorted(bridges, key=lambda bridge: "relay.active" not in bridge.log)
        assert "relay.active" not in standby.log, "one is active at a time"

        active.kill()
        killed = time.monotonic()
        enqueue(resume(2))
        wait_until(lambda: not OutboxMessage.objects.exists())
        assert time.monotonic() - killed < SECONDS
        assert standby.says("relay.active")
        assert len(consume(own_topics["uploading_data"], 2)) == 2
    finally:
        for bridge in bridges:
            bridge.stop()
        connection.close()

"""Without a collector there are no traces, and what others trace goes through untouched."""

import os
import subprocess
import sys

import pytest
from django.db import transaction

from devstack.paths import ROOT
from kafka_bridge import outbox
from kafka_bridge.contract.events import DeleteProcessing
from kafka_bridge.models import OutboxMessage
from resume_platform.observability import tracing

CAME = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def is_recorder_imported(**environment: str) -> bool:
    code = (
        "import sys, django; django.setup();"
        "print('opentelemetry.sdk.trace' in sys.modules, file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stderr.split()[-1] == "True"


def test_the_recorder_is_imported_only_where_a_collector_is_named():
    assert is_recorder_imported(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert not is_recorder_imported(OTEL_EXPORTER_OTLP_ENDPOINT="")


@pytest.mark.django_db(transaction=True)
def test_what_came_with_a_request_goes_on_with_its_events():
    with tracing.span("POST", kind="server", parent=CAME), transaction.atomic():
        outbox.enqueue(DeleteProcessing(processing_ids=[1], user_id=1))
    with transaction.atomic():
        outbox.enqueue(DeleteProcessing(processing_ids=[2], user_id=1))
    assert list(OutboxMessage.objects.order_by("id").values_list("traceparent", flat=True)) == [
        CAME,
        "",
    ]

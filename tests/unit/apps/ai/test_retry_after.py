"""A provider's waiting time is read in every form that it may have."""

import pytest

from apps.ai.provider.retry_after import parse_duration, wait_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("20", 20.0), ("soon", None)],
)
def test_durations_as_openai_writes_them(value, seconds):
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_odd_waits(headers, seconds):
    assert wait_seconds(headers, now=1792567620.0) == seconds

"""Settings of the bridge that must agree with one another."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from resume_platform import environment


def test_identities_must_outlive_the_log(monkeypatch):
    monkeypatch.setenv("KAFKA_TOPIC_RETENTION_HOURS", "720")
    monkeypatch.setenv("KEEP_INBOX_DAYS", "30")
    with pytest.raises(ImproperlyConfigured, match="KEEP_INBOX_DAYS must be longer"):
        environment.load()
    monkeypatch.setenv("KEEP_INBOX_DAYS", "31")
    environment.load()

"""One signed POST to one URL, and how it ended."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from apps.notifications.delivery import backoff, signing, transport
from apps.notifications.delivery.host_limiter import HostOutcome
from resume_platform.observability import tracing

USER_AGENT = "resume-platform-webhooks/1"


@dataclass(frozen=True)
class Result:
    """How one POST ended. Without a status, `error` is the word for what went wrong."""

    started_at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    address: str = ""
    excerpt: str = ""
    retry_after: float | None = None
    is_retried: bool = False

    @property
    def is_success(self) -> bool:
        return self.status is not None and backoff.is_success(self.status)

    @property
    def reason(self) -> str:
        return self.error or f"status_{self.status}"

    @property
    def host_outcome(self) -> HostOutcome:
        if self.status is not None:
            return HostOutcome.SILENT if self.status >= 500 else HostOutcome.ANSWERED
        return HostOutcome.SILENT if self.is_retried else HostOutcome.NOT_ASKED


def now() -> datetime:
    """The one clock of deliveries."""
    return timezone.now()


def host_of(url: str) -> str:
    """Name and port: what has a share and a breaker of its own."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    except ValueError:
        return ""


def post(
    url: str,
    *,
    webhook_id: str,
    body: bytes,
    user_id: int,
    headers: Mapping[str, str],
    timeout: float,
) -> Result:
    """POST once, signed for this user. Never raises for what a receiver does."""
    started_at, started = now(), time.monotonic()
    signed = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **headers,
        **signing.headers(
            webhook_id=webhook_id,
            timestamp=int(started_at.timestamp()),
            body=body,
            user_id=user_id,
            masters=settings.WEBHOOK_SECRET,
        ),
    }
    try:
        with tracing.span("POST callback", kind="client", server__address=host_of(url)) as span:
            if settings.WEBHOOK_TRACEPARENT and span.traceparent:
                signed["traceparent"] = span.traceparent
            answer = transport.post(
                url,
                body=body,
                headers=signed,
                timeout=timeout,
                allowed=settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS,
            )
            span.note(http__response__status_code=answer.status)
            if not backoff.is_success(answer.status):
                span.fail(f"status_{answer.status}")
    except transport.TransportError as error:
        return Result(
            started_at,
            _milliseconds_since(started),
            error=error.reason,
            address=error.address,
            is_retried=not error.permanent,
        )
    return Result(
        started_at,
        _milliseconds_since(started),
        status=answer.status,
        address=answer.address,
        excerpt=answer.excerpt,
        retry_after=backoff.parse_retry_after(answer.retry_after, now()),
        is_retried=backoff.is_retried(answer.status),
    )


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)

"""POST /test_callback: one signed sample to a URL of the user's, and what its receiver said."""

import json
import threading
import uuid
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.notifications import request_limit
from apps.notifications.delivery import attempt
from apps.notifications.delivery.attempt import Result
from resume_platform.http.errors import TooManyRequests

TIMEOUT_SECONDS = 10.0
# Slow receivers must not take the web process's threads away.
_slots = threading.BoundedSemaphore(2)


def sample(user_id: int) -> dict[str, Any]:
    """A success in shape; ids of 0 and `test` tell that it is none."""
    response = {
        **dict.fromkeys(("processing_id", "resume_id", "requirements_id"), 0),
        "user_id": user_id,
        "score": 85,
        "matches": ["Python"],
        "recommendation": "This is a sample.",
        "verdict": "Suitable",
    }
    return {
        "success": True,
        "response": response,
        "message_error": None,
        "wait_seconds": None,
        "test": True,
    }


def send(*, user_id: int, url: str) -> Result:
    """Send the sample once. Raises TooManyRequests."""
    request_limit.take(
        user_id=user_id,
        what="test_callback",
        per_minute=settings.TEST_CALLBACK_PER_MINUTE,
        code="too_many_tests",
    )
    if not _slots.acquire(blocking=False):
        raise TooManyRequests(
            _("Other samples are being sent. Try again in a moment."), "busy", retry_after=5
        )
    try:
        return attempt.post(
            url,
            webhook_id=f"msg_test_{uuid.uuid4().hex}",
            body=json.dumps(sample(user_id)).encode(),
            user_id=user_id,
            headers={},
            timeout=min(TIMEOUT_SECONDS, settings.WEBHOOK_TIMEOUT_SECONDS),
        )
    finally:
        _slots.release()

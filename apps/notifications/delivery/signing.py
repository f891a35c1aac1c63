"""Signatures after the Standard Webhooks specification. Knows no Django.

A secret is `whsec_` and the base64 of its bytes. A master signs everybody's callbacks and is never
shown; each user's own secret is derived from it, so that showing one tells nothing of the others.
"""

import base64
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def user_secret(master: str, user_id: int) -> str:
    """HMAC-SHA256 of the master's bytes over the decimal user id."""
    return PREFIX + _base64(_hmac(_bytes_of(master), str(user_id).encode()))


def headers(
    *, webhook_id: str, timestamp: int, body: bytes, user_id: int, masters: Sequence[str]
) -> dict[str, str]:
    """The three headers; `timestamp` is in Unix seconds.

    While a master is being rotated out, what is derived from it signs too: a user who still
    verifies with the secret shown before the rotation notices nothing.
    """
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    secrets = [user_secret(master, user_id) for master in masters] + list(masters)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"v1,{_base64(_hmac(_bytes_of(secret), signed))}" for secret in secrets
        ),
    }


def _bytes_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")

"""Random secrets of one stack directory, made once and kept for its next run."""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from devstack.files import read_json, write_json

_MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "JWT_SIGNING_KEY": lambda: secrets.token_urlsafe(48),
    "WEBHOOK_SECRET": lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "DEV_STAFF_PASSWORD": lambda: secrets.token_urlsafe(12),
    "flower_password": lambda: secrets.token_urlsafe(12),
    "redis_password": lambda: secrets.token_urlsafe(24),
}


def load_credentials(directory: Path) -> dict[str, str]:
    """Reads `secrets.json` (mode 0600) and fills in what it lacks."""
    path = directory / "secrets.json"
    known = read_json(path)
    kept = known if isinstance(known, dict) else {}
    complete = {name: kept.get(name) or make() for name, make in _MAKERS.items()}
    if complete != kept:
        write_json(path, complete)
    return complete

"""The snippets of docs/webhooks.md verify what we sign, and nothing else.

Without node on the PATH the JavaScript is skipped, aloud; with REQUIRE_NODE (CI) it fails.
"""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.notifications.delivery import signing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
MASTER = "whsec_" + base64.b64encode(b"m" * 32).decode()
OLD_MASTER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = '{"success":true,"verdict":"Подходит"}'.encode()
Verify = Callable[[str, dict[str, str], bytes], Any]


def snippet(name: str) -> str:
    (found,) = re.findall(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    return found


def in_python(name: str) -> Verify:
    names: dict[str, Any] = {}
    exec(snippet(name), names)
    return names["verified"]


def in_javascript(secret: str, headers: dict[str, str], body: bytes) -> Any:
    script = snippet("javascript") + (
        "const [secret, headers, body] = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(verified(secret, headers, Buffer.from(body, 'base64'))));"
    )
    run = subprocess.run(
        ["node", "-e", script],
        input=json.dumps([secret, headers, base64.b64encode(body).decode()]),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if run.returncode:
        raise ValueError(run.stderr)
    return json.loads(run.stdout)


VERIFIERS = [
    pytest.param(in_python("python library"), id="python library"),
    pytest.param(in_python("python"), id="python"),
    pytest.param(
        in_javascript,
        id="javascript",
        marks=pytest.mark.skipif(
            not (shutil.which("node") or os.environ.get("REQUIRE_NODE")),
            reason="NOT VERIFIED: the JavaScript snippet needs node",
        ),
    ),
]


def signed(age: int = 0) -> dict[str, str]:
    return signing.headers(
        webhook_id="msg_1",
        timestamp=int(datetime.now(UTC).timestamp()) - age,
        body=BODY,
        user_id=2,
        masters=[MASTER, OLD_MASTER],
    )


@pytest.mark.parametrize("verify", VERIFIERS)
def test_a_snippet_takes_what_is_ours(verify: Verify) -> None:
    for secret in (signing.user_secret(MASTER, 2), signing.user_secret(OLD_MASTER, 2)):
        assert verify(secret, signed(), BODY) == {"success": True, "verdict": "Подходит"}


@pytest.mark.parametrize("verify", VERIFIERS)
def test_a_snippet_refuses_anything_else(verify: Verify) -> None:
    secret = signing.user_secret(MASTER, 2)
    cases = [
        (signing.user_secret(MASTER, 3), signed(), BODY),
        (secret, signed(), BODY + b" "),
        (secret, signed(age=301), BODY),
        (secret, signed(age=-310), BODY),
        (secret, signed() | {"webhook-id": "msg_2"}, BODY),
        (secret, signed() | {"webhook-signature": "v1,"}, BODY),
        (secret, signed() | {"webhook-timestamp": "x"}, BODY),
    ]
    for case in cases:
        with pytest.raises(Exception):  # noqa: B017, PT011  each has an error of its own
            verify(*case)


def test_the_page_tells_the_defaults() -> None:
    from resume_platform.environment import Environment

    defaults = {name: field.default for name, field in Environment.model_fields.items()}
    words = PAGE.replace("\n", " ")
    assert defaults["WEBHOOK_RETRY_SCHEDULE"] == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert f"has {defaults['WEBHOOK_TIMEOUT_SECONDS']:.0f} seconds" in words
    assert f"At most {defaults['WEBHOOK_MAX_PER_HOST']} callbacks at once" in words
    assert defaults["KEEP_PAYLOAD_DAYS"] == 7
    assert (defaults["TEST_CALLBACK_PER_MINUTE"], defaults["REDELIVER_PER_MINUTE"]) == (5, 30)

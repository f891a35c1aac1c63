"""Schemathesis against the running server: thousands of requests made from the schema.

Which checks are left out, and why, stands in `schemathesis.toml` beside this file.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack.resume_platform.http.live import Server

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(420)]
CONFIG = Path(__file__).with_name("schemathesis.toml")
LEAST_CASES = 2_000
SECONDS = 120
SEED = "3"
# It ends the session that all other requests live on, so it comes last and alone.
LOGOUT = "/auth/logout"
# It sends a request to any address that it is given.
OUTBOUND = "/test_callback"
# It says 503 with good reason: no bridge and no worker runs beside this server.
READINESS = "/health/ready"
LEFT_OUT = [word for path in (LOGOUT, OUTBOUND, READINESS) for word in ("--exclude-path", path)]


def test_no_request_made_from_the_schema_breaks_it(server: Server, tmp_path: Path) -> None:
    token = server.tokens(server.register("fuzz@example.com"))["access_token"]

    everything = _fuzz(server, token, tmp_path, *LEFT_OUT, "--max-time", SECONDS)
    logout = _fuzz(server, token, tmp_path, "--include-path", LOGOUT, "--max-examples", 20)

    assert everything + logout >= LEAST_CASES
    assert "Internal Server Error" not in server.log()
    assert server.client().get("/health").status_code == 200


def _fuzz(server: Server, token: str, directory: Path, *options: str | int) -> int:
    """The number of requests, all of whose answers passed the checks."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{server.base}/schema?format=json", "--url", server.base, "--seed", SEED),
        *("--header", f"Authorization: Bearer {token}", "--generation-database", "none"),
        *("--no-color", *map(str, options)),
    ]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    found = re.search(r"(\d+) generated", run.stdout)
    assert found
    return int(found[1])

"""`./dev lint`: formatting, lint, types and import rules; all of them run, whatever fails."""

import os
import subprocess
import sys
from collections.abc import Sequence

from devstack.paths import DEV_DIR, ROOT, TEST_SETTINGS
from devstack.settings_file import read_settings

CHECKS = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "types": ["-m", "mypy"],
    "imports": [
        *("-c", "from importlinter.cli import lint_imports_command as main; main()"),
        *("--cache-dir", str(DEV_DIR / "import-linter")),
    ],
}
LINT_SETTINGS = {
    "DATABASE_URL": "postgresql://127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
}


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print("dev: lint takes no arguments.", file=sys.stderr)
        return 2
    # The type checker's Django plugin loads the settings; an address that is never asked will do.
    environment = LINT_SETTINGS | read_settings(TEST_SETTINGS) | os.environ
    failed = []
    for name, command in CHECKS.items():
        print(f"--- {name}", flush=True)
        run = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=False)
        if run.returncode != 0:
            failed.append(name)
    print(f"--- failed: {', '.join(failed)}" if failed else "--- all clean", flush=True)
    return int(bool(failed))

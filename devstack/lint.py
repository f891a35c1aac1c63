"""`./dev lint [CHECK...]`: formatting, lint, types and import rules; each runs, whatever fails."""

import os
import subprocess
import sys
from collections.abc import Sequence

from devstack.environment import NO_SERVERS
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


def main(arguments: Sequence[str]) -> int:
    """Runs the named checks, or all of them."""
    unknown = set(arguments) - set(CHECKS)
    if unknown:
        print(f"dev: lint knows the checks {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    # The type checker's Django plugin loads the settings.
    environment = NO_SERVERS | read_settings(TEST_SETTINGS) | os.environ
    failed = []
    for name in arguments or CHECKS:
        print(f"--- {name}", flush=True)
        command = [sys.executable, *CHECKS[name]]
        run = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if run.returncode != 0:
            failed.append(name)
    print(f"--- failed: {', '.join(failed)}" if failed else "--- all clean", flush=True)
    return int(bool(failed))

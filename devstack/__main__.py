"""The commands of `./dev`. Each module has `main(arguments) -> exit code`."""

import importlib
import sys
from collections.abc import Sequence

from devstack import interrupts
from devstack.errors import StackError

# Loaded by name: a command pays only for what it needs itself.
COMMANDS = {
    "demo": ("devstack.demo", "start the system, judge the resumes in examples/, stop it"),
    "up": ("devstack.up", "start the system and stay; Ctrl-C stops it (--port N: the API's port)"),
    "test": (
        "devstack.testing",
        "run every tier, a TIER (unit, db, ...), or what pytest arguments select",
    ),
    "bench": (
        "tools.bench.command",
        "measure throughput, latency, HTTP (--help: the scenarios)",
    ),
    "chaos": ("tools.chaos.command", "kill everything at random under load; nothing is lost"),
    "attack": ("tools.attack.command", "what strangers can do to everybody else: one table"),
    "kafka": ("devstack.kafka.__main__", "a real Apache Kafka, by Java (--nodes 1|3, --port N)"),
    "lint": ("devstack.lint", "formatting, lint, types, import rules, or one CHECK of them"),
    "openai-standin": ("devstack.openai_standin.__main__", "the OpenAI stand-in alone (--port N)"),
}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"dev: there is no command {name!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    interrupts.install()
    try:
        return int(importlib.import_module(COMMANDS[name][0]).main(rest) or 0)
    except StackError as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print("dev: stopped.", file=sys.stderr)
        return 128 + interrupted.signal_number


def usage() -> str:
    lines = [f"  ./dev {name:<16}{does}" for name, (_module, does) in COMMANDS.items()]
    return "\n".join(["usage: ./dev COMMAND [arguments]", "", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

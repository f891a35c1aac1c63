"""`./dev up`: the whole system, until Ctrl-C."""

import argparse
import signal
from collections.abc import Sequence

from devstack import console
from devstack.paths import DEV_DIR
from devstack.stack import Stack


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    parser.add_argument("--port", type=int, help="the API's port (default: a free one)")
    options = parser.parse_args(arguments)
    console.say("starting the system")
    stack = Stack(
        directory=DEV_DIR,
        durable=True,
        web_port=options.port,
        report=console.say,
        progress=console.say,
    )
    with stack:
        show(stack)
        while True:
            signal.pause()


def show(stack: Stack) -> None:
    info = stack.info
    user, password = info["flower_auth"]
    admin = info["admin"]
    lines = {
        "API": f"{info['api']}  (documentation: {info['api']}/docs)",
        "Admin": f"{admin['url']}  {admin['username']} / {admin['password']}",
        "Flower": f"{info['flower']}  {user} / {password}",
        "Callback sink": f"{info['callback_sink']}  (what arrived: /received)",
        "AI": info["openai_base_url"],
        "PostgreSQL": info["database_url"],
        "Redis": info["redis_url"],
        "Kafka": info["kafka_bootstrap_servers"],
        "Logs": str(stack.directory / "logs"),
    }
    print()
    for name, value in lines.items():
        print(f"  {name:<14} {value}")
    console.show_choices(stack)
    print("\n  Ctrl-C stops it all.\n", flush=True)

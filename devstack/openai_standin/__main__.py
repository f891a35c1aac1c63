"""`python -m devstack.openai_standin --port N [--delay SECONDS]`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from devstack.openai_standin.concepts import vocabulary
from devstack.openai_standin.protocol import MODEL_NAME
from devstack.openai_standin.server import StandInServer


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="openai_standin",
        description="A stand-in for the OpenAI API: rules, no language model.",
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds each answer takes at least"
    )
    options = parser.parse_args(arguments)
    try:
        server = StandInServer((options.host, options.port), delay=options.delay)
    except OSError as error:
        print(
            f"openai-standin: cannot listen on port {options.port}: {error.strerror}",
            file=sys.stderr,
        )
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.shutdown())
    vocabulary()
    host, port = server.server_address
    print(
        f"openai-standin: THIS IS A STAND-IN for the OpenAI API ({MODEL_NAME}): "
        f"it follows rules, no language model "
        f"runs here.\nopenai-standin: listening on http://{host}:{port}/v1",
        flush=True,
    )
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

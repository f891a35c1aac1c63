"""Intakes as processes that start in milliseconds: forked off a process that has Django loaded.

Lines in: `start` forks one, and its pid comes out. It forks before any Kafka client is made, since
those do not survive a fork.
"""

import os
import signal
import sys
import threading

import django

django.setup()

from kafka_bridge.inbox.consumer import Intake  # noqa: E402
from kafka_bridge.tasks.registry import load_handlers  # noqa: E402


def main() -> None:
    load_handlers()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            Intake(threading.Event()).run()
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

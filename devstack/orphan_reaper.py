"""Ends process groups whose supervisor is gone, even one that was killed by SIGKILL.

Runs alone (`python -I orphan_reaper.py`) with the supervisor's pipe as its standard input:
`+<pgid>` adds a group, `-<pgid>` removes one. The end of the pipe is the end of the supervisor.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 1.5


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end(groups)


def end(groups: set[int]) -> None:
    alive = {group for group in groups if sent(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = {group for group in alive if sent(group, 0)}
    for group in alive:
        sent(group, signal.SIGKILL)


def sent(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()

"""Starts processes in the order of their needs, keeps them alive, and ends them all."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from devstack import interrupts
from devstack.errors import StackError, StartFailed
from devstack.process import Process, Spec, describe_exit
from devstack.process_groups import ProcessGroups

POLL_SECONDS = 0.03
FIRST_RESTART_SECONDS = 0.1
# Whatever dies is back within 2 seconds, also when it keeps dying.
SLOWEST_RESTART_SECONDS = 1.5
# Who lived this long is not in a crash loop.
STABLE_SECONDS = 10.0


class Supervisor:
    """`start()`, then a thread of its own watches until `stop()`.

    `progress` is told of each part that came up, `report` of each that died, `changed` is called
    after each change of pids.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        log_dir: Path,
        record: Path,
        report: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[str], None] = lambda sentence: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._processes = {
            spec.name: Process(spec, log=log_dir / f"{spec.name}.log") for spec in specs
        }
        self._report = report
        self._progress = progress
        self._changed = changed
        self._groups = ProcessGroups(record)
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._deaths: dict[str, int] = {}
        self._next_start: dict[str, float] = {}
        self._asked_to_end: dict[str, float] = {}
        """Restarts on purpose: when patience with the old process ends."""
        self._held: set[str] = set()

    # --- starting ---------------------------------------------------------------------------

    def start(self) -> None:
        """Returns when every part is ready; ends all of them and raises StartFailed otherwise."""
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def _start_all(self) -> None:
        waiting = dict(self._processes)
        done: set[str] = set()
        while len(done) < len(self._processes):
            for name, process in list(waiting.items()):
                if done.issuperset(self._needs(process.spec)):
                    del waiting[name]
                    self._start(process)
            for name, process in self._processes.items():
                if name not in waiting and self._came_up(process, done) and name not in done:
                    done.add(name)
                    took = time.monotonic() - process.started_at
                    self._progress(f"{name} is {_state(process.spec)} ({took:.1f} s)")
            time.sleep(POLL_SECONDS)

    def _needs(self, spec: Spec) -> set[str]:
        """A part that is not in this stack (an outside server) is nobody's need."""
        return set(spec.after) & set(self._processes)

    def _all_needs(self, name: str) -> set[str]:
        direct = self._needs(self._specs[name])
        return direct.union(*(self._all_needs(need) for need in direct))

    def _came_up(self, process: Process, done: set[str]) -> bool:
        if process.spec.one_shot and process.name in done:
            return True
        if process.has_ended():
            code = self._groups.reap(process)
            if process.spec.one_shot and code == 0:
                return True
            raise StartFailed(process.name, describe_exit(code), process.log_tail())
        if process.spec.one_shot or not process.check():
            if process.name not in done and self._is_overdue(process):
                reason = f"no answer within {process.spec.start_seconds:.0f} s"
                raise StartFailed(process.name, reason, process.log_tail())
            return False
        return True

    def _is_overdue(self, process: Process) -> bool:
        return time.monotonic() - process.started_at > process.spec.start_seconds

    def _start(self, process: Process) -> None:
        process.spec.prepare()
        with interrupts.deferred():
            try:
                process.start()
            except OSError as error:
                raise StartFailed(process.name, str(error), "") from error
            assert process.pid is not None
            self._groups.add(process.pid)

    # --- watching ---------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            with self._lock:
                for process in self._processes.values():
                    if not process.spec.one_shot and not self._stopping.is_set():
                        self._look_at(process)

    def _look_at(self, process: Process) -> None:
        now = time.monotonic()
        if process.pid is None:
            due = self._next_start.get(process.name, 0.0)
            if process.name not in self._held and now >= due:
                self._start_again(process)
        elif process.has_ended():
            self._bury(process, now)
        elif now > self._asked_to_end.get(process.name, now):
            process.kill_group()
        elif not process.is_ready and process.check():
            for name in process.spec.restarts:
                if name in self._processes:
                    self._ask_to_end(self._processes[name])
            self._changed()

    def _bury(self, process: Process, now: float) -> None:
        lived = now - process.started_at
        code = self._groups.reap(process)
        if self._asked_to_end.pop(process.name, None) is not None:
            self._next_start[process.name] = now
            return
        deaths = 0 if lived > STABLE_SECONDS else self._deaths.get(process.name, 0) + 1
        self._deaths[process.name] = deaths
        wait = min(FIRST_RESTART_SECONDS * 2 ** max(0, deaths - 1), SLOWEST_RESTART_SECONDS)
        self._next_start[process.name] = now + wait
        again = f" ({deaths} times in a row; see {process.log})" if deaths > 2 else ""
        self._report(f"{process.name} {describe_exit(code)}; starting it again{again}")

    def _start_again(self, process: Process) -> None:
        try:
            self._start(process)
        except StackError as error:
            self._next_start[process.name] = time.monotonic() + SLOWEST_RESTART_SECONDS
            self._report(f"{process.name} could not be started again: {error}")
        self._changed()

    def _ask_to_end(self, process: Process) -> None:
        if process.pid is not None:
            self._asked_to_end.setdefault(
                process.name, time.monotonic() + min(2.0, process.spec.stop_seconds)
            )
            process.ask_to_end()

    # --- from outside -----------------------------------------------------------------------

    @property
    def pids(self) -> dict[str, int]:
        with self._lock:
            return {
                name: process.pid
                for name, process in self._processes.items()
                if process.pid is not None
            }

    def log_of(self, name: str) -> Path:
        return self._processes[name].log

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Signals one process, not its children; after a SIGKILL it has ended on return."""
        with self._lock:
            process = self._processes[name]
            if process.pid is None:
                raise StackError(f"{name} does not run.")
            os.kill(process.pid, number)
            while number == signal.SIGKILL and not process.has_ended():
                time.sleep(0.001)

    def hold(self, name: str) -> None:
        """Kills a part that stays down until `release`."""
        with self._lock:
            self._held.add(name)
            self.kill(name)

    def release(self, name: str) -> None:
        with self._lock:
            self._held.discard(name)

    def restart(self, name: str) -> None:
        """Ends a part with its stop signal; it is started again. `wait_ready` tells when."""
        with self._lock:
            self._processes[name].is_ready = False
            self._ask_to_end(self._processes[name])

    def wait_ready(self, *, timeout: float = 30.0) -> None:
        """Until every part runs and answers, but for those that are held.

        A process that was killed this moment is noticed here, not taken for ready.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._lock:
                missing = [
                    name
                    for name, process in self._processes.items()
                    if not process.spec.one_shot
                    and name not in self._held
                    and (not process.is_ready or process.has_ended() or name in self._asked_to_end)
                ]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise StackError(f"not ready after {timeout:.0f} s: {', '.join(missing)}.")
            time.sleep(POLL_SECONDS)

    # --- stopping ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Ends everything, those that need others before those; a second Ctrl-C kills at once."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with interrupts.deferred(forget=True), self._lock:
            left = {name for name, process in self._processes.items() if process.pid is not None}
            while left:
                needed = {need for name in left for need in self._all_needs(name)}
                self._stop_together([self._processes[name] for name in left - needed])
                left &= needed
            self._groups.close()

    def _stop_together(self, processes: Sequence[Process]) -> None:
        for process in processes:
            if not process.has_ended():
                process.ask_to_end()
        now = time.monotonic()
        deadlines = {process.name: now + process.spec.stop_seconds for process in processes}
        waiting = list(processes)
        while waiting:
            for process in waiting:
                if process.has_ended():
                    self._groups.reap(process)
                elif interrupts.pending() or time.monotonic() > deadlines[process.name]:
                    process.kill_group()
            waiting = [process for process in waiting if process.pid is not None]
            time.sleep(0.01)


def _state(spec: Spec) -> str:
    return "done" if spec.one_shot else "ready"

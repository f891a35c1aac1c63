"""The supervisor keeps its promises with small processes in place of the system's."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from devstack.errors import StartFailed
from devstack.process import Process, Spec
from devstack.process_groups import end_leftovers

SLEEP = "import time; time.sleep(600)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "{SLEEP}"])
print("child", child.pid, flush=True)
time.sleep(600)
"""


def spec(name: str, code: str = SLEEP, **more: object) -> Spec:
    return Spec(name=name, command=lambda: [sys.executable, "-c", code], **more)


def says(words: str) -> Callable[[Process], bool]:
    return lambda process: words in process.log_since_start()


def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> float:
    """Returns how long it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - started


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def child_in(log: Path) -> int:
    until(lambda: "child" in log.read_text())
    return int(log.read_text().split()[-1])


def test_a_killed_process_is_back_within_two_seconds_and_its_children_are_gone(supervise):
    told: list[str] = []
    supervisor = supervise(spec("web", PARENT, ready=says("child")), report=told.append)
    first = supervisor.pids["web"]
    child = child_in(supervisor.log_of("web"))

    os.kill(first, signal.SIGKILL)

    assert until(lambda: supervisor.pids.get("web") not in (None, first), seconds=2.0) < 2.0
    supervisor.wait_ready()
    assert not runs(child)
    assert told == ["web was killed by SIGKILL; starting it again"]


def test_a_process_that_keeps_dying_is_started_again_and_again(supervise):
    told: list[str] = []
    code = "import time; time.sleep(0.3); raise SystemExit(3)"
    supervise(spec("bridge", code), report=told.append)
    until(lambda: len(told) >= 4, seconds=8.0)
    assert "ended with exit code 3" in told[0]
    assert "times in a row" in told[3]


def test_a_part_that_fails_to_start_is_named_with_its_log_and_the_rest_is_ended(supervise):
    other = spec("other", "import sys, time; print('up', flush=True); time.sleep(600)")
    code = "print('no such queue'); raise SystemExit(1)"
    broken = spec("worker", code, after=("other",), ready=says("ready"))
    before = set(psutil.Process().children())

    with pytest.raises(StartFailed) as failure:
        supervise(other, broken)

    assert failure.value.name == "worker"
    assert "ended with exit code 1" in str(failure.value)
    assert "no such queue" in str(failure.value)
    assert {child for child in psutil.Process().children() if child.is_running()} <= before


def test_a_part_that_never_answers_is_named(supervise):
    with pytest.raises(StartFailed, match=r"web failed to start: no answer within 0 s"):
        supervise(spec("web", ready=lambda process: False, start_seconds=0.2))


def test_parts_start_after_what_they_need_and_end_before_it(supervise, tmp_path):
    journal = tmp_path / "journal"

    def noting(name: str, **more: object) -> Spec:
        code = f"""
        import signal, sys, time
        def note(what):
            with open({str(journal)!r}, "a") as file:
                file.write(what + "\\n")
        def end(*_):
            note("-{name}")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        note("+{name}")
        print("ready", flush=True)
        time.sleep(600)
        """
        return spec(name, textwrap.dedent(code), ready=says("ready"), **more)

    once = spec("migrate", "print('done')", after=("postgres",), one_shot=True)
    supervisor = supervise(noting("web", after=("migrate",)), once, noting("postgres"))
    supervisor.stop()

    assert journal.read_text().split() == ["+postgres", "+web", "-web", "-postgres"]


def test_a_process_deaf_to_its_stop_signal_is_killed(supervise):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); "
    supervisor = supervise(
        spec("web", code + "time.sleep(600)", ready=says("deaf"), stop_seconds=0.3)
    )
    pid = supervisor.pids["web"]
    supervisor.stop()
    assert not runs(pid)


def test_who_depends_on_a_restarted_part_is_started_again(supervise):
    supervisor = supervise(spec("kafka", restarts=("bridge",)), spec("bridge", after=("kafka",)))
    before = supervisor.pids

    os.kill(before["kafka"], signal.SIGKILL)

    until(lambda: supervisor.pids.get("bridge") not in (None, before["bridge"]))
    supervisor.wait_ready()
    assert supervisor.pids["kafka"] != before["kafka"]


SUPERVISING = """
import sys, time
from pathlib import Path
from devstack.process import Spec
from devstack.supervisor import Supervisor
directory = Path(sys.argv[1])
spec = Spec(
    name="web",
    command=lambda: [sys.executable, "-c", sys.argv[2]],
    ready=lambda process: "child" in process.log_since_start(),
)
supervisor = Supervisor([spec], log_dir=directory, record=directory / "record")
supervisor.start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def killed_supervisor(tmp_path):
    """Starts one elsewhere; the test kills it, and its reaper too if it wants."""
    run = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(tmp_path), PARENT],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"
    yield psutil.Process(run.pid)
    run.kill()
    run.wait()
    run.stdout.close()


def test_nothing_is_left_when_the_supervisor_itself_is_killed(killed_supervisor):
    left = killed_supervisor.children(recursive=True)
    assert len(left) == 3  # the reaper, the process, its child

    killed_supervisor.kill()

    until(lambda: not any(runs(process.pid) for process in left))


def test_the_next_run_ends_what_a_killed_supervisor_and_reaper_left(killed_supervisor, tmp_path):
    everyone = killed_supervisor.children(recursive=True)
    reaper = next(
        process for process in everyone if "orphan_reaper.py" in " ".join(process.cmdline())
    )
    left = [process for process in everyone if process != reaper]
    reaper.kill()
    killed_supervisor.kill()
    time.sleep(0.1)
    assert all(runs(process.pid) for process in left)

    assert end_leftovers(tmp_path / "record") == 1

    until(lambda: not any(runs(process.pid) for process in left))


def test_a_stranger_who_got_a_recorded_pid_is_left_alone(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    try:
        (tmp_path / "record").write_text(f"[[{stranger.pid}, 1.0]]")
        assert end_leftovers(tmp_path / "record") == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()

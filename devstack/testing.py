"""`./dev test`: pytest with PostgreSQL, Redis and Kafka of its own, gone when it ends.

    ./dev test                     every tier, several at once where cores allow, with coverage
    ./dev test TIER [arguments]    unit, db, stack, contract or chaos; more than one may be named
    ./dev test [arguments]         whatever pytest's own arguments select

Tests of `tests/unit` alone start no server. `--kafka=real` runs tests on an Apache Kafka instead of
the embedded broker, and with them those that need it. `--coverage` measures coverage.

The tests' settings come from `.test.env.example`; what the environment already sets wins.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import interrupts, test_tiers
from devstack.credentials import load_credentials
from devstack.environment import NO_SERVERS, StackEnvironment
from devstack.kafka.nodes import KafkaNodes
from devstack.paths import DEV_DIR, ROOT, TEST_SETTINGS
from devstack.process import Spec
from devstack.servers import Servers
from devstack.settings_file import read_settings
from devstack.supervisor import Supervisor

SERVER_SETTINGS = (
    *("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CACHE_URL"),
    *("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_FETCH_WAIT_MAX_MS"),
)
REAL_KAFKA = "--kafka=real"
COVERAGE = "--coverage"
# What tells the tests which broker they run on.
BROKER_FLAG = "TEST_BROKER"
# coverage.py's own variable: where its data goes. Who sets it makes the report.
COVERAGE_FILE = "COVERAGE_FILE"
_PYTEST_STOP_SECONDS = 30


def main(arguments: Sequence[str]) -> int:
    directory = Path(tempfile.mkdtemp(prefix="test-", dir=DEV_DIR))
    outside = dict(os.environ)
    try:
        if not arguments:
            outside[COVERAGE_FILE] = str(directory / "coverage")
            return test_tiers.run(directory, outside)
        measured = COVERAGE in arguments and COVERAGE_FILE not in outside
        if measured:
            outside[COVERAGE_FILE] = str(directory / "coverage")
        code = _run(directory, outside, arguments)
        if measured:
            test_tiers.report_coverage(outside)
        return code
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(directory: Path, outside: dict[str, str], arguments: Sequence[str]) -> int:
    pytest = [argument for argument in arguments if argument not in (REAL_KAFKA, COVERAGE)]
    tiers = list(itertools.takewhile(test_tiers.TIERS.__contains__, pytest))
    pytest[: len(tiers)] = [f"tests/{tier}" for tier in tiers]
    command = [sys.executable, "-m", "pytest", *pytest]
    if COVERAGE in arguments:
        command[1:2] = ["-m", "coverage", "run", "-m"]
    if REAL_KAFKA not in arguments and needs_no_server(pytest):
        return _wait_for(command, read_settings(TEST_SETTINGS) | outside | NO_SERVERS)
    specs: list[Spec] = []
    if REAL_KAFKA in arguments:
        kafka = KafkaNodes(directory, tell=_say)
        outside |= {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, BROKER_FLAG: "real"}
        specs += kafka.specs()
    given = read_settings(TEST_SETTINGS) | outside
    for name in SERVER_SETTINGS:
        # The example names servers of a compose network; here only the environment may.
        if name not in outside:
            given.pop(name, None)
    servers_environment = StackEnvironment(given=outside, credentials=load_credentials(directory))
    servers = Servers(directory, servers_environment, durable=False)
    supervisor = Supervisor(
        [*specs, *servers.specs],
        log_dir=directory,
        record=directory / "processes.json",
        report=_say,
    )
    try:
        supervisor.start()
        values = servers_environment.values
        values.setdefault("CELERY_BROKER_URL", values["REDIS_URL"])
        values.setdefault("CACHE_URL", values["REDIS_URL"])
        found = {name: values[name] for name in SERVER_SETTINGS if name in values}
        return _wait_for(command, given | found)
    finally:
        supervisor.stop()
        servers.remove_data()


def needs_no_server(pytest_arguments: Sequence[str]) -> bool:
    """Whether paths are named, and all of them lie in `tests/unit`."""
    places = [
        argument.partition("::")[0]
        for option, argument in itertools.pairwise(["", *pytest_arguments])
        if argument[:1] != "-" and option not in ("--ignore", "--deselect")
    ]
    paths = [path for place in places if (path := (ROOT / place).resolve()).exists()]
    return bool(paths) and all(path.is_relative_to(ROOT / "tests" / "unit") for path in paths)


def _say(sentence: str) -> None:
    print(f"dev: {sentence}", file=sys.stderr, flush=True)


def _wait_for(command: Sequence[str], environment: Mapping[str, str]) -> int:
    pytest = subprocess.Popen(command, cwd=ROOT, env=dict(environment))
    try:
        return pytest.wait()
    except interrupts.Interrupted:
        # At a terminal it got the same Ctrl-C; a SIGTERM came to us alone.
        pytest.send_signal(signal.SIGINT)
        try:
            pytest.wait(_PYTEST_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.kill()
            pytest.wait()
        raise

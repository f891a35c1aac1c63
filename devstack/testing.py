"""`./dev test`: pytest with PostgreSQL, Redis and Kafka of its own, gone when it ends.

The tests' settings come from `.test.env.example`; what the environment already sets wins.
`--kafka=real` runs them on an Apache Kafka instead of the embedded broker, and with them those that
need it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import interrupts
from devstack.credentials import load_credentials
from devstack.environment import StackEnvironment
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
# What tells the tests which broker they run on.
BROKER_FLAG = "TEST_BROKER"
_PYTEST_STOP_SECONDS = 30


def main(arguments: Sequence[str]) -> int:
    directory = Path(tempfile.mkdtemp(prefix="test-", dir=DEV_DIR))
    try:
        return _run(directory, arguments)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(directory: Path, arguments: Sequence[str]) -> int:
    outside = dict(os.environ)
    specs: list[Spec] = []
    if REAL_KAFKA in arguments:
        arguments = [argument for argument in arguments if argument != REAL_KAFKA]
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
        return _pytest(arguments, given | found)
    finally:
        supervisor.stop()
        servers.remove_data()


def _say(sentence: str) -> None:
    print(f"dev: {sentence}", file=sys.stderr, flush=True)


def _pytest(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
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

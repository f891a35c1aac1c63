"""`./dev kafka`: a real Apache Kafka in the foreground; its log goes when it ends."""

import argparse
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devstack import console
from devstack.errors import StackError
from devstack.kafka.nodes import KafkaNodes
from devstack.paths import DEV_DIR
from devstack.ports import is_free
from devstack.supervisor import Supervisor


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev kafka", description=__doc__)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    parser.add_argument("--port", type=int, help="the first node's (default: a free one)")
    options = parser.parse_args(list(arguments))
    if options.port and not is_free(options.port):
        raise StackError(f"port {options.port} is in use; choose another with --port.")

    DEV_DIR.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="kafka-run-", dir=DEV_DIR))
    try:
        kafka = KafkaNodes(directory, nodes=options.nodes, port=options.port, tell=console.say)
        supervisor = Supervisor(
            kafka.specs(),
            log_dir=directory,
            record=directory / "processes.json",
            report=console.say,
            progress=console.say,
        )
        supervisor.start()
        try:
            print(f"KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap_servers}", flush=True)
            console.say("Ctrl-C stops it; a node that dies is started again")
            signal.pause()
        finally:
            supervisor.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0

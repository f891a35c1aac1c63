"""`./dev chaos`: the whole system under load, killed at random; exit 1 if anything was lost.

Web, bridge and workers are killed every 1 to 3 seconds; Valkey is flushed and killed, PostgreSQL is
restarted and killed, the Kafka broker is killed and started again. Dead letters that the faults
made are replayed at the end and told apart. The logs stay in `.dev/chaos/` until the next run.
"""

import argparse
import dataclasses
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import requests
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from devstack import console
from devstack.environment import TOPIC_SETTINGS
from devstack.errors import StackError
from devstack.kafka.cluster import ApacheKafka
from devstack.paths import DEV_DIR, ROOT
from devstack.stack import Stack
from tools.chaos.evidence import Evidence
from tools.chaos.faults import PROCESSES, Faults
from tools.chaos.load import Load
from tools.chaos.verdict import Seen, Verdict, judge

PARTITIONS = 8
SETTINGS = {
    # A worker's death is noticed after this, so that the end need not be awaited for minutes.
    "LEASE_SECONDS": "6",
    "WAKE_AGAIN_SECONDS": "2",
    "KAFKA_SESSION_TIMEOUT_MS": "6000",
    # The watchdog would make up for a loss.
    "STALLED_AFTER_MINUTES": "100000",
    "WEBHOOK_RETRY_SCHEDULE": "1,2,4,8,8,8",
}
# Nothing more arrives when nothing changed for so long.
QUIET_SECONDS = 60.0
# The same when our own tables owe nothing: what is missing is in Kafka, a dead letter, or lost.
IDLE_SECONDS = 20.0
STATUS_SECONDS = 10.0


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    tell = (lambda sentence: None) if options.json else console.say
    verdict, figures = _run(options, DEV_DIR / "chaos", tell)
    if options.json:
        print(json.dumps({"chaos": dataclasses.asdict(verdict) | figures}))
    else:
        _show(verdict, figures)
    return 0 if verdict.is_kept else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--processings", type=int, default=1000, help="default 1000")
    parser.add_argument("--seconds", type=float, help="of load (default: 0.3 a processing)")
    parser.add_argument(
        "--kafka",
        choices=("real", "embedded"),
        default="real",
        help="the embedded broker forgets everything when it dies, so it is spared",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the faults")
    parser.add_argument("--json", action="store_true", help="print the figures alone, as JSON")
    parser.add_argument(
        "--kill",
        type=lambda text: text.split(","),
        default=list(PROCESSES),
        help=f"processes, separated by commas (default: {','.join(PROCESSES)})",
    )
    parser.add_argument(
        "--forgetful",
        action="store_true",
        help="with a bridge that commits offsets before the inbox: must report losses",
    )
    options = parser.parse_args(list(arguments))
    options.seconds = options.seconds or options.processings * 0.3
    return options


def _run(
    options: argparse.Namespace, directory: Path, tell: Callable[[str], None]
) -> tuple[Verdict, dict[str, float]]:
    with _kafka(options.kafka, directory, tell) as kafka:
        environment = dict(SETTINGS)
        if kafka is not None:
            environment["KAFKA_BOOTSTRAP_SERVERS"] = kafka.bootstrap_servers
        bridge = ("-m", "tools.chaos.forgetful_bridge") if options.forgetful else None
        tell(f"starting the system (seed {options.seed})")
        with Stack(
            directory=directory,
            isolated=True,
            env=environment,
            bridge_command=bridge,
        ) as stack:
            return _disturb(stack, kafka, options, tell)


def _disturb(
    stack: Stack,
    kafka: ApacheKafka | None,
    options: argparse.Namespace,
    tell: Callable[[str], None],
) -> tuple[Verdict, dict[str, float]]:
    sink = stack.info["callback_sink"]
    evidence = Evidence(database_url=stack.info["database_url"], sink=sink)
    load = Load(
        api=stack.info["api"], sink=sink, processings=options.processings, seconds=options.seconds
    )
    # Each kind of a server's fault at least three times.
    faults = Faults(
        stack,
        kafka=kafka,
        processes=options.kill,
        server_seconds=options.seconds / 15,
        seed=options.seed,
        tell=tell,
    )
    load.log_in()
    began = time.monotonic()
    worker = threading.Thread(target=load.run, name="chaos-load", daemon=True)
    worker.start()
    faults.start()
    try:
        while worker.is_alive():
            worker.join(STATUS_SECONDS)
            tell(f"{len(load.accepted)} of {options.processings} accepted")
    finally:
        load.stop()
        faults.stop()
    loaded = time.monotonic()
    stack.wait_ready(timeout=120)
    tell("the faults are over; waiting until nothing is under way")
    _settle(evidence, load, tell)
    dead_letters = evidence.dead_letters()
    if dead_letters:
        tell(f"replaying dead letters: {dead_letters}")
        _replay(stack)
        _settle(evidence, load, tell)
    verdict = judge(
        Seen(
            wanted=options.processings,
            accepted=load.accepted,
            stored=evidence.stored(),
            analysed=evidence.analysed(),
            requested=evidence.requested(),
            callbacks=evidence.callbacks(),
            unanswered=load.unanswered,
            faults=faults.counts,
            dead_letters=dead_letters,
        )
    )
    figures = {
        "seed": options.seed,
        "load_seconds": round(loaded - began, 1),
        "settling_seconds": round(time.monotonic() - loaded, 1),
        "sent_to_kafka_again": evidence.duplicates(),
    }
    return verdict, figures


def _settle(evidence: Evidence, load: Load, tell: Callable[[str], None]) -> None:
    """Until nothing is under way, or nothing has moved for a while."""
    last: object = None
    moved = told = time.monotonic()
    patience = QUIET_SECONDS
    while time.monotonic() - moved < patience:
        try:
            outbox, tasks = evidence.under_way()
            callbacks = evidence.callbacks()
        except (psycopg2.Error, requests.RequestException):
            time.sleep(1.0)
            continue
        missing = sum(path not in callbacks for path in load.accepted.values())
        if not (outbox or tasks or missing):
            return
        patience = QUIET_SECONDS if outbox or tasks else IDLE_SECONDS
        if (outbox, tasks, len(callbacks)) != last:
            last, moved = (outbox, tasks, len(callbacks)), time.monotonic()
        if time.monotonic() - told > STATUS_SECONDS:
            told = time.monotonic()
            tell(f"{outbox} events unsent, {tasks} tasks owed, {missing} callbacks missing")
        time.sleep(1.0)


def _replay(stack: Stack) -> None:
    command = [sys.executable, "manage.py", "replay", "--dead-letters", "--handlers", "all"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(stack.environment.values),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise StackError(f"the replay of the dead letters failed: {run.stderr.strip()[-500:]}")


@contextmanager
def _kafka(kind: str, directory: Path, tell: Callable[[str], None]) -> Iterator[ApacheKafka | None]:
    if kind == "embedded":
        yield None
        return
    with ApacheKafka(directory / "kafka", tell=tell) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
        topics = [NewTopic(name, num_partitions=PARTITIONS) for name in TOPIC_SETTINGS.values()]
        for created in admin.create_topics(topics).values():
            created.result(timeout=30)
        del admin  # or it would complain of every kill
        yield kafka


def _show(verdict: Verdict, figures: dict[str, float]) -> None:
    table = Table(title=f"chaos, {figures['load_seconds']:.0f} s of load, seed {figures['seed']}")
    table.add_column("")
    table.add_column("", justify="right")
    rows = {
        "accepted (answered with 200)": verdict.accepted,
        "stored with a result": verdict.stored,
        "analysed": verdict.analysed,
        "called back": verdict.called_back,
        "lost": len(verdict.lost),
        "stored twice": verdict.stored_twice,
        "callbacks repeated, same webhook-id": verdict.repeated_callbacks
        - verdict.other_webhook_ids,
        "callbacks with another webhook-id": verdict.other_webhook_ids,
        "judged as failed": verdict.failed,
        "requests without an answer of 200, tried again": verdict.unanswered,
        "messages sent to Kafka again": int(figures["sent_to_kafka_again"]),
    }
    rows |= {f"fault: {name}": count for name, count in sorted(verdict.faults.items())}
    rows |= {f"dead letter, replayed: {name}": n for name, n in verdict.dead_letters.items()}
    for title, count in rows.items():
        table.add_row(title, str(count))
    Console(file=sys.stdout).print(table)
    if verdict.lost:
        print(f"LOST: processings {verdict.lost}")

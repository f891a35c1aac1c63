"""`./dev bench [SCENARIO...]`: measures how fast the system is, beside what bounds each figure.

Medians of several runs with their spread; the floor of a figure is measured in the same run.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from rich.console import Console

from devstack.errors import StackError
from devstack.kafka.cluster import ApacheKafka
from devstack.paths import DEV_DIR
from tools.bench import machine, tables
from tools.bench.figures import Figures
from tools.bench.rig import Rig
from tools.bench.scenarios import SCENARIOS, Scenario

DIRECTORY = DEV_DIR / "bench"
# What a measured system may do to a scenario; the others are measured all the same.
FAILURES = (StackError, OSError, psycopg2.Error, subprocess.SubprocessError)


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if options.figures:
        results = json.loads(options.figures.read_text(encoding="utf-8"))
    else:
        results = _measured(options)
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    elif options.markdown:
        print(tables.markdown(results))
    else:
        tables.show(results, Console(file=sys.stdout))
    return int(bool(results["failed"]))


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    chosen = [SCENARIOS[name] for name in options.scenarios or SCENARIOS]
    is_real = options.kafka == "real"
    able = [scenario for scenario in chosen if is_real or not scenario.needs_kafka]
    results: dict[str, Any] = {
        "machine": machine.describe(),
        "kafka": options.kafka,
        "quick": options.quick,
        "scenarios": {},
        "failed": {},
        "left_out": _left_out([scenario.name for scenario in chosen if scenario not in able]),
    }
    needs_kafka = any(scenario.needs_kafka for scenario in able)
    with _kafka(DIRECTORY / "kafka", wanted=needs_kafka) as kafka:
        for scenario in able:
            rig = Rig(
                directory=DIRECTORY,
                runs=options.runs,
                is_quick=options.quick,
                kafka=kafka if scenario.needs_kafka else None,
                threads=options.threads,
                tell=_tell,
            )
            try:
                results["scenarios"][scenario.name] = run(scenario, rig)
            except FAILURES as error:
                _tell(f"{scenario.name} failed: {error}")
                results["failed"][scenario.name] = str(error)
            _write(results, options.output)
    return results


def run(scenario: Scenario, rig: Rig) -> dict[str, Any]:
    """One scenario's figures, as they are in the JSON."""
    rig.tell(f"{scenario.name}: {scenario.does}")
    figures, before, began = Figures(), machine.load_average(), time.monotonic()
    scenario.measure(rig, figures)
    return {
        "does": scenario.does,
        "runs": rig.runs,
        "seconds": round(time.monotonic() - began, 1),
        "load_before": before,
        "load_after": machine.load_average(),
        **figures.as_json(),
    }


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        epilog="\n".join(f"  {s.name:<12}{s.does}" for s in SCENARIOS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="those below; default all")
    parser.add_argument(
        "--runs", type=_positive, help="of each scenario (default 3; with --quick 1)"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: minutes, rough figures")
    parser.add_argument(
        "--kafka",
        choices=("embedded", "real"),
        default="embedded",
        help="real: starts an Apache Kafka (Java, Maven), which ingest and throughput need",
    )
    parser.add_argument("--threads", type=_positive, help="of the AI's worker, in every scenario")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print the figures alone, as JSON")
    shape.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON there as well")
    parser.add_argument(
        "--figures", type=Path, metavar="FILE", help="show what --output wrote; measure nothing"
    )
    options = parser.parse_args(list(arguments))
    options.runs = options.runs or (1 if options.quick else 3)
    if unknown := [name for name in options.scenarios if name not in SCENARIOS]:
        parser.error(f"there is no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _left_out(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        f"Left out, because only a real Kafka bears the load (--kafka=real): {', '.join(names)}."
    ]


@contextmanager
def _kafka(directory: Path, *, wanted: bool) -> Iterator[ApacheKafka | None]:
    if not wanted:
        yield None
        return
    with ApacheKafka(directory, tell=_tell) as kafka:
        yield kafka


def _write(results: dict[str, Any], file: Path | None) -> None:
    """After each scenario: what was measured stays when a later one fails."""
    if file is not None:
        file.write_text(json.dumps(results, indent=2, ensure_ascii=False), encoding="utf-8")


def _tell(sentence: str) -> None:
    """Beside the figures, so that these can be piped."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)

"""`./dev attack`: what strangers can do to everybody else; exit 1 if anybody was harmed.

Meanwhile somebody else asks /health/live, which has to answer within a second, and has resumes
judged, each within ten. An attack must be answered as well: by an outcome, 4xx or 503.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests
from rich.markup import escape
from rich.table import Table

from devstack import console
from devstack.demo_report import screen
from devstack.errors import StackError
from devstack.paths import DEV_DIR
from devstack.stack import Stack
from tools.attack.attacks import ATTACKS, GREEDY_STARTS, Answer, Target
from tools.attack.bystander import Bystander, Seen


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    table = Table("attack", "answer", title="attacks, and what somebody else noticed")
    table.add_column("live max ms", justify="right")
    table.add_column("bystander's judgement s", justify="right")
    table.add_column("verdict")
    is_kept = True
    with _target(options) as target:
        bystander = Bystander(target.api, target.callback_url)
        for number, name in enumerate(options.attacks, 1):
            console.say(f"{number} of {len(options.attacks)}: {ATTACKS[name].__doc__}")
            answer, seen = _attack(name, target, bystander)
            is_good = answer.is_answer and seen.is_unharmed(options.times)
            is_kept &= is_good
            row = [f"{seen.live * 1000:,.0f}", f"{seen.judgement:.1f}"]
            row += ["kept" if is_good else "BROKEN"]
            table.add_row(escape(f"{name}: {ATTACKS[name].__doc__}"), answer.text, *row)
    screen().print(table)
    return 0 if is_kept else 1


def _attack(name: str, target: Target, bystander: Bystander) -> tuple[Answer, Seen]:
    with bystander.watch() as seen:
        try:
            answer = ATTACKS[name](target)
        except (requests.RequestException, StackError) as error:
            answer = Answer(type(error).__name__, is_answer=False)
    return answer, seen


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev attack", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--api", help="of a system that runs (default: starts one)")
    parser.add_argument("--callback-url", help="what that system may call")
    parser.add_argument(
        "--times",
        type=float,
        default=1.0,
        help="so many times the limits are kept: for a machine that has other work (default 1)",
    )
    options = parser.parse_args(list(arguments))
    if unknown := set(options.attacks) - set(ATTACKS):
        parser.error(f"there is no attack {unknown.pop()!r}")
    if bool(options.api) != bool(options.callback_url):
        parser.error("--api and --callback-url go together")
    options.attacks = options.attacks or list(ATTACKS)
    return options


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.api:
        yield Target(options.api.rstrip("/"), options.callback_url)
        return
    console.say("starting the system")
    day = {"AI_RPD": str(GREEDY_STARTS)}
    with Stack(directory=DEV_DIR / "attack", isolated=True, env=day) as stack:
        yield Target(stack.info["api"], stack.info["callback_sink"] + "/attack")

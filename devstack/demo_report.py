"""What the demo shows: a ranked table per vacancy, and a callback as it arrived."""

import json
from functools import cache
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devstack.vacancies import Vacancy

WIDTH_WITHOUT_TERMINAL = 140


@cache
def screen() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)


def show_vacancy(vacancy: Vacancy) -> None:
    table = Table(
        title=f"{escape(vacancy.title)}  (Spearman against the labels: {vacancy.agreement():.2f})",
        title_justify="left",
    )
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    table.add_column("verdict")
    table.add_column("candidate")
    table.add_column("label", justify="right")
    table.add_column("matched criteria", ratio=1)
    for place, candidate in enumerate(vacancy.ranked(), start=1):
        judgement = candidate.judgement
        table.add_row(
            str(place),
            str(judgement["score"]),
            escape(judgement["verdict"]),
            escape(f"{candidate.name} ({candidate.file.name})"),
            f"{candidate.fit:g}",
            escape("; ".join(judgement["matches"]) or "none"),
        )
    screen().print()
    screen().print(table)


def show_callback(record: dict[str, Any]) -> None:
    headers = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")
    lines = [f"POST {record['path']}"]
    lines += [f"{name}: {record['headers'][name]}" for name in headers]
    lines += ["", json.dumps(json.loads(record["body"]), ensure_ascii=False, indent=2)]
    screen().print("\nThe best candidate's callback as it arrived:\n")
    for line in lines:
        screen().print(line, markup=False, highlight=False, soft_wrap=True)
    screen().print(
        "\nIts signatures are right: the user's own secret (GET /webhook_secret) verifies it, "
        "and so does the master.\n"
    )

"""The figures for people: tables at the terminal, and in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

COLUMNS = ("", "median", "spread", "unit", "x floor")


def show(results: Mapping[str, Any], console: Console) -> None:
    for name, result in results["scenarios"].items():
        circumstances = _circumstances(result)
        table = Table(title=f"{name}: {result['does']} ({circumstances})")
        for column in COLUMNS:
            table.add_column(column, justify="right" if column in COLUMNS[1:3] else "left")
        for row in _rows(result["figures"]):
            table.add_row(*row)
        console.print(table)
        for remark in result["remarks"]:
            console.print(f"  {remark}")
    for sentence in [*results["left_out"], *_failures(results)]:
        console.print(sentence)


def markdown(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    lines = [
        f"Measured {machine['date']} at {machine['commit']}: {machine['cores']} cores"
        f" ({machine['processor']}), {machine['memory_gb']} GB, Python {machine['python']};"
        f" load average {machine['load_average']} before the first scenario.",
    ]
    for name, result in results["scenarios"].items():
        circumstances = _circumstances(result)
        lines += ["", f"### {name}: {result['does']}", "", f"{circumstances}.", ""]
        lines += _table([figure for figure in result["figures"] if not figure["detail"]])
        if details := [figure for figure in result["figures"] if figure["detail"]]:
            lines += ["", "<details><summary>CPU and memory</summary>", ""]
            lines += [*_table(details), "", "</details>"]
        if result["remarks"]:
            lines += ["", *(f"- {remark}" for remark in result["remarks"])]
    return "\n".join([*lines, "", *results["left_out"], *_failures(results)]).rstrip()


def _circumstances(result: Mapping[str, Any]) -> str:
    return (
        f"{result['runs']} run{'' if result['runs'] == 1 else 's'}, {result['seconds']:.0f} s,"
        f" load average {result['load_before']} before and {result['load_after']} after"
    )


def _failures(results: Mapping[str, Any]) -> list[str]:
    return [f"{name} failed: {reason}" for name, reason in results["failed"].items()]


def _table(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    head = [_line(COLUMNS), _line(["---", "---:", "---:", "---", "---:"])]
    return head + [_line(row) for row in _rows(figures)]


def _rows(figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            figure["name"],
            number(figure["median"]),
            f"{number(figure['min'])} to {number(figure['max'])}",
            figure["unit"],
            "" if figure["times_floor"] is None else f"{figure['times_floor']:.3g}",
        )
        for figure in figures
    ]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"

"""A report for a terminal: what agreed, what did not and why."""

from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from migration.parity.causes import CLASSES
from migration.parity.report import Report

MAX_ROWS = 20
HEADINGS = {
    "both_accept": "both accept",
    "only_old": "only old",
    "only_new": "only new",
    "both_refuse": "both refuse",
    "undecodable": "undecodable",
}


def show(report: Report, out: TextIO) -> None:
    """Print a report as tables."""
    console = Console(file=out, width=None if out.isatty() else 110, highlight=False)
    matrix = Table("schema", title="Verdicts", title_justify="left")
    for heading in HEADINGS.values():
        matrix.add_column(heading, justify="right")
    for name, found in report["schemas"].items():
        matrix.add_row(escape(name), *(f"{found['matrix'][verdict]:,}" for verdict in HEADINGS))
    if len(report["schemas"]) > 1:
        matrix.add_section()
        totals = report["totals"]["matrix"]
        matrix.add_row("all", *(f"{totals[verdict]:,}" for verdict in HEADINGS))
    console.print(matrix)
    _show_causes(console, report)
    _show_differences(console, report)
    for kind, count in report["totals"]["classes"].items():
        told = CLASSES.get(kind, "none of the known ways in which migrated schemas differ")
        console.print(f"{kind}: {count:,} events; {told}.", soft_wrap=True)


def _show_causes(console: Console, report: Report) -> None:
    table = Table("schema", "verdict", "events", "class", "why", title="Causes")
    table.title_justify = "left"
    for name, found in report["schemas"].items():
        for cluster in found["clusters"][:MAX_ROWS]:
            causes = cluster["new"] if cluster["verdict"] == "only_old" else cluster["old"]
            why = "; ".join(f"{cause['rule']} at {cause['pointer'] or '/'}" for cause in causes[:3])
            at = cluster["example"]
            example = f"{at['source']}:{at['line']}"
            table.add_row(
                escape(name),
                HEADINGS[cluster["verdict"]],
                f"{cluster['count']:,}",
                cluster["class"],
                escape(f"{why} ({example})"),
            )
    if table.row_count:
        console.print(table)


def _show_differences(console: Console, report: Report) -> None:
    table = Table("schema", "place", "kind", "events", "example", title="Differences of events")
    table.title_justify = "left"
    for name, found in report["schemas"].items():
        for each in found["differences"][:MAX_ROWS]:
            pair = f"{_short(each['old'])} -> {_short(each['new'])}"
            table.add_row(
                escape(name),
                escape(each["pointer"]),
                each["kind"],
                f"{each['count']:,}",
                escape(pair),
            )
    if table.row_count:
        console.print(table)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004 (a column's width)

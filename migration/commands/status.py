"""Say how far each schema has come on its way from the wiki to the repository, and what is next.

States: discovered, converted, linted, mapped, shadowed, parity proven, cut over, legacy silent,
retired. What each rests on is shown, with what keeps a schema from the next and the command to run.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.commands.decodestrict import load_schemas
from app.config import load_settings
from app.core.errors import ConfigError
from app.service import open_service
from app.settings import Settings
from app.sinks.memory import MemorySink
from migration.linting.linter import lint
from migration.materialize import Library
from migration.parity.causes import CLASSES
from migration.parity.report import load_report
from migration.progress import counts
from migration.progress.gathering import evidence_of, names_in
from migration.progress.states import STATES, Evidence, Goals, Standing, standing_of
from migration.repository import folders_of

KIND = "sluiceway-status"
MAX_SHOWN = 3
EVENTS = 1_000
DAYS = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("name", nargs="*", help="only these old schemas")
    parser.add_argument("--config", metavar="FILE", help="settings: mapping, schemas and streams")
    parser.add_argument(
        "--old-schemas", metavar="DIR", required=True, help="the wiki's, as Name-revision.json"
    )
    parser.add_argument(
        "--repository", metavar="DIR", required=True, help="the folder that schema URIs lead into"
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="a report of sluiceway migrate verify; may be given more than once",
    )
    parser.add_argument(
        "--service", metavar="URL", help="a running service, or a file of its metrics: its counts"
    )
    parser.add_argument(
        "--history", metavar="FILE", help="where counts and states are kept over time"
    )
    parser.add_argument(
        "--events", type=int, default=EVENTS, help=f"events that prove parity ({EVENTS})"
    )
    parser.add_argument(
        "--days", type=int, default=DAYS, help=f"days of silence that count ({DAYS})"
    )
    parser.add_argument(
        "--allow",
        metavar="CLASS",
        action="append",
        default=[],
        help=f"differences that are no obstacle: {', '.join(CLASSES)}; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", metavar="FILE", help="write JSON there, for the HTML report")


def run(args: argparse.Namespace) -> int:
    """Look; 0 if every schema is cut over, 1 if not, 2 if it was called wrongly."""
    try:
        standings, snapshots = _standings(args)
    except ConfigError as error:
        for problem in error.problems:
            print(f"sluiceway migrate status: {problem}", file=sys.stderr)
        return 2
    told = _told(standings, snapshots)
    if args.out:
        Path(args.out).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if args.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        _show(standings)
    done = all(each.reached >= STATES.index("cut over") for each in standings)
    return 0 if done else 1


def _standings(args: argparse.Namespace) -> tuple[list[Standing], list[counts.Snapshot]]:
    for kind in args.allow:
        if kind not in CLASSES:
            raise ConfigError(f"--allow {kind}: there are {', '.join(CLASSES)}.")
    if not Path(args.repository).is_dir():
        raise ConfigError(f"--repository: {args.repository} is no folder.")
    history = Path(args.history) if args.history else None
    snapshots = counts.load_history(history) if history else []
    now = counts.counts_of(args.service) if args.service else None
    latest = [*snapshots]
    if now is not None:
        latest.append(counts.Snapshot(datetime.now(UTC), now, {}))
    settings = load_settings(args.config)
    evidence = asyncio.run(_evidence(args, settings, now, latest))
    goals = Goals(args.events, args.days, frozenset(args.allow))
    standings = [standing_of(each, goals) for each in evidence]
    if history and not args.name:
        states = dict(Counter(each.state for each in standings))
        taken = counts.Snapshot(datetime.now(UTC), now or {}, states)
        counts.append(history, taken)
        snapshots.append(taken)
    return standings, snapshots


async def _evidence(
    args: argparse.Namespace,
    settings: Settings,
    now: counts.Counts | None,
    history: Sequence[counts.Snapshot],
) -> list[Evidence]:
    old = load_schemas(args.old_schemas, lambda _problem: None)
    revisions: dict[str, list[int]] = {}
    for name, revision in old:
        revisions.setdefault(name, []).append(revision)
    reports = [load_report(Path(path)) for path in args.report]
    repository = Path(args.repository)
    bases = [repository, *(Path(uri) for uri in settings.schemas.base_uris)]
    library = Library([base for base in bases if base.is_dir()])
    folders = {folder.title: folder for folder in folders_of(repository)}

    def problems(title: str) -> list[str]:
        folder = folders.get(title)
        found = lint([folder], library) if folder else []
        return [f"{each.path.name}:{each.line}: {each.message}" for each in found]

    unspooled = settings.spool.model_copy(update={"folder": None})
    quiet = settings.model_copy(update={"spool": unspooled})
    async with open_service(quiet, sink=MemorySink()) as service:
        names = {*revisions, *service.legacy.names, *names_in(reports)}
        unknown = set(args.name) - names
        if unknown:
            raise ConfigError(f"{min(unknown)}: nobody knows such an old schema.")
        # In a thread of its own, since lint runs an event loop.
        return await asyncio.to_thread(
            evidence_of,
            set(args.name) or names,
            revisions,
            repository=repository,
            lint=problems,
            service=service,
            reports=reports,
            counts=now,
            history=history,
        )


def _told(standings: Sequence[Standing], history: Sequence[counts.Snapshot]) -> dict[str, Any]:
    return {
        "kind": KIND,
        "format": 1,
        "states": {state: sum(each.state == state for each in standings) for state in STATES},
        "schemas": [
            {
                "name": each.name,
                "state": each.state,
                "shown": list(each.shown),
                "blocks": each.blocks,
                "next": each.next,
            }
            for each in standings
        ],
        "history": [
            {"at": each.at.isoformat(timespec="seconds"), "states": dict(each.states)}
            for each in history
        ],
    }


def _show(standings: Sequence[Standing]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    table = Table("schema", "state", "shown by", "what keeps it there", show_lines=True)
    for each in standings:
        table.add_row(
            escape(each.name), each.state, escape(each.shown[-1]), escape(each.blocks or "nothing")
        )
    console.print(table)
    steps = dict.fromkeys(each.next for each in standings if each.next)
    if steps:
        console.print("Next:")
        for step in list(steps)[:MAX_SHOWN]:
            console.print(f"  {step}", markup=False, soft_wrap=True)

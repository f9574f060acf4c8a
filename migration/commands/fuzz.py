"""Make events up from old schemas and look where the old judge and the new pipeline differ.

Each difference is shown with the smallest event that was found for it.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.core.errors import ConfigError
from migration.parity.causes import CLASSES
from migration.parity.judges import Judges, Plan

EXAMPLES = 500
PLACES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("name", nargs="*", help="old schemas, as Name or Name-revision; else all")
    parser.add_argument("--config", metavar="FILE", help="settings of the service: the new side")
    parser.add_argument(
        "--old-schemas",
        metavar="DIR",
        required=True,
        help="the wiki's draft-3 schemas, as files called Name-revision.json: the old side",
    )
    parser.add_argument(
        "--examples", type=int, default=EXAMPLES, help=f"events for each schema ({EXAMPLES})"
    )
    parser.add_argument("--seed", type=int, default=0, help="another number makes other events up")
    parser.add_argument("--json", action="store_true", help="print one JSON line per difference")
    parser.add_argument(
        "--allow",
        metavar="CLASS",
        action="append",
        default=[],
        help=f"differences that are no failure: {', '.join(CLASSES)}; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Look; 0 if nothing differs but what is allowed, 1 if more does, 2 for a wrong call."""
    try:
        search_module: Any = importlib.import_module("migration.fuzzing.search")
    except ImportError:
        print(
            "sluiceway migrate fuzz: needs Hypothesis: pip install 'sluiceway[fuzz]'.",
            file=sys.stderr,
        )
        return 2
    try:
        _check_allowed(args.allow)
        schemas = str(Path(args.old_schemas).resolve())
        judges = Judges(Plan(args.config, schemas, "capsule"))
    except ConfigError as error:
        return _wrong(error)
    try:
        chosen = _chosen(args.name, judges)
        search = search_module.Search(judges, examples=args.examples, start=args.seed)
        findings = [
            finding for name, revision in chosen for finding in search.differences(name, revision)
        ]
    except ConfigError as error:
        return _wrong(error)
    finally:
        judges.close()
    if args.json:
        for finding in findings:
            print(json.dumps(_told(finding), ensure_ascii=False))
    else:
        _show(findings)
        print(
            f"{search.tried:,} events made up for {len(chosen)} schemas: "
            f"{len(findings)} differences."
        )
    return 1 if any(finding.kind not in args.allow for finding in findings) else 0


def _check_allowed(kinds: list[str]) -> None:
    for kind in kinds:
        if kind not in CLASSES:
            raise ConfigError(f"--allow {kind}: there are {', '.join(CLASSES)}.")


def _wrong(error: ConfigError) -> int:
    for problem in error.problems:
        print(f"sluiceway migrate fuzz: {problem}", file=sys.stderr)
    return 2


def _chosen(names: list[str], judges: Judges) -> list[tuple[str, int]]:
    """Return the schemas that are named, in their newest revision unless that is named, too."""
    newest: dict[str, int] = {}
    for name, known in judges.schemas:
        newest[name] = max(known, newest.get(name, 0))
    if not names:
        return sorted(newest.items())
    chosen = []
    for given in names:
        name, _, revision = given.rpartition("-")
        if given in newest:
            chosen.append((given, newest[given]))
        elif revision.isdecimal() and (name, int(revision)) in judges.schemas:
            chosen.append((name, int(revision)))
        else:
            raise ConfigError(f"{given}: there is no such old schema.")
    return chosen


def _told(finding: Any) -> dict[str, Any]:
    return {
        "schema": finding.name,
        "revision": finding.revision,
        "verdict": finding.verdict,
        "class": finding.kind,
        "causes": [
            {"rule": cause.rule, "pointer": cause.pointer, "message": cause.message}
            for cause in finding.causes
        ],
        "capsule": finding.capsule,
    }


def _show(findings: list[Any]) -> None:
    if not findings:
        return
    table = Table("schema", "taken by", "class", "places", "smallest event")
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for finding in findings:
        name = f"{finding.name}-{finding.revision}"
        taker = finding.verdict.removeprefix("only_")
        groups.setdefault((name, taker, finding.kind), []).append(finding)
    for (name, taker, kind), alike in groups.items():
        pointers = list(dict.fromkeys(each.causes[0].pointer or "/" for each in alike))
        places = ", ".join(pointers[:PLACES])
        if len(pointers) > PLACES:
            places += f" and {len(pointers) - PLACES} more"
        event = min((_text(each.capsule) for each in alike), key=len)
        table.add_row(escape(name), taker, kind, escape(places), escape(event))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table)


def _text(capsule: dict[str, Any]) -> str:
    if "event" not in capsule:
        return "(no event)"
    return json.dumps(capsule["event"], ensure_ascii=False)

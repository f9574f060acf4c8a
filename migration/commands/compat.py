"""Say what changes between two schemas: which events of before are refused, which new ones come.

OLD and NEW are files of JSON Schema draft-07. OLD may be an on-wiki schema of draft 3 instead; then
the `event` of capsules is compared with the `event` of the new schema.
"""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from migration.compat.capsules import event_of, event_side, old_side
from migration.compat.comparison import Comparison, compare
from migration.compat.report import json_of, text_of
from migration.compat.sides import (
    Side,
    UnusableSchema,
    bases_of,
    is_draft_3,
    load_document,
    modern_side,
)
from migration.compat.traffic import Traffic, judged, read_events
from migration.examples import Examples

MAX_EXAMPLES = 400
_DIRECTIONS = {"backward": ("backward",), "forward": ("forward",), "both": ("backward", "forward")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("old", metavar="OLD", help="the schema of before: a file, or a URI")
    parser.add_argument("new", metavar="NEW", help="the schema of after")
    parser.add_argument(
        "--schemas",
        metavar="FOLDER",
        action="append",
        default=[],
        help="a schema repository that OLD and NEW refer to; may be given more than once "
        "(default: the ones that they are in)",
    )
    parser.add_argument(
        "--on-wiki",
        action="store_true",
        help="take OLD for an on-wiki schema of draft 3, whatever it looks like",
    )
    parser.add_argument(
        "--direction",
        choices=tuple(_DIRECTIONS),
        default="backward",
        help="what the exit code is about (default: %(default)s)",
    )
    parser.add_argument(
        "--declared",
        action="store_true",
        help="let the exit code pass over breaks that need a property which the schema of before "
        "(forward: of after) does not list",
    )
    parser.add_argument("--against", metavar="FILE", help="real events, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Compare; return 0 if it is proven compatible, 1 if not, 2 if it cannot be compared."""
    try:
        old, new, capsules = _sides(args)
        traffic = _traffic(args.against, old, new, capsules=capsules)
    except (UnusableSchema, OSError) as error:
        print(f"sluiceway migrate compat: {error}", file=sys.stderr)
        return 2
    comparison = compare(old, new)
    if args.json:
        print(json.dumps(json_of(comparison, traffic), ensure_ascii=False, indent=2))
    else:
        print(text_of(comparison, traffic))
    return _code(comparison, traffic, args)


def _sides(args: argparse.Namespace) -> tuple[Side, Side, bool]:
    """Return both sides, and whether they judge the `event` of capsules."""
    old = load_document(args.old, args.schemas)
    new = load_document(args.new, args.schemas)
    bases = [*args.schemas, *bases_of(args.new, new), *bases_of(args.old, old)]
    if is_draft_3(new):
        raise UnusableSchema(f"{args.new} is an on-wiki schema of draft 3; NEW has to be modern.")
    after = modern_side(args.new, new, bases)
    if not args.on_wiki and not is_draft_3(old):
        return modern_side(args.old, old, bases), after, False
    return old_side(args.old, old), event_side(after, _example(after)), True


def _example(side: Side) -> dict[str, Any]:
    """Return an event that a schema takes: one of its own examples, or a made up one."""
    own = side.document.get("examples")
    made = islice(Examples().values((side.part,)), MAX_EXAMPLES)
    for event in (*(own if isinstance(own, list) else ()), *made):
        if isinstance(event, dict) and side.takes(event):
            return event
    raise UnusableSchema(
        f"No event was found that {side.name} takes; give it a valid one under `examples`."
    )


def _traffic(name: str | None, old: Side, new: Side, *, capsules: bool) -> Traffic | None:
    if name is None:
        return None
    events = read_events(Path(name))
    if capsules:
        events = ((line, event_of(one) if isinstance(one, dict) else one) for line, one in events)
    return judged(old, new, events)


def _code(comparison: Comparison, traffic: Traffic | None, args: argparse.Namespace) -> int:
    directions = _DIRECTIONS[args.direction]
    verdicts = [comparison.verdict(one, declared=args.declared) for one in directions]
    refused = traffic is not None and (
        ("backward" in directions and traffic.counts["old only"] > 0)
        or ("forward" in directions and traffic.counts["new only"] > 0)
    )
    return int(refused or verdicts != ["compatible"] * len(verdicts))

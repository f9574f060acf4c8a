"""Make one HTML file of what was found, for people who do not read code.

It needs no other file, works from a mail's attachment, and can be printed.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.core.errors import ConfigError
from migration.htmlreport.page import page_of
from migration.parity.report import load_report

STATUS = "sluiceway-status"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("report", nargs="+", help="reports of sluiceway migrate verify")
    parser.add_argument(
        "--status", metavar="FILE", help="what sluiceway migrate status wrote with --out"
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="the HTML file to write")
    parser.add_argument("--title", default="From the old schemas to the new", help="its title")


def run(args: argparse.Namespace) -> int:
    """Write the page; 0 if it was written, 2 if it could not be."""
    try:
        reports = [load_report(Path(path)) for path in args.report]
        status = _status(args.status) if args.status else None
        Path(args.out).write_text(page_of(reports, status, args.title), encoding="utf-8")
    except ConfigError as error:
        print(f"sluiceway migrate report: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sluiceway migrate report: {args.out}: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"{args.out} is written.")
    return 0


def _status(name: str) -> dict[str, Any]:
    try:
        status = json.loads(Path(name).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: {error}") from error
    if not isinstance(status, dict) or status.get("kind") != STATUS:
        raise ConfigError(f"{name} is nothing that sluiceway migrate status wrote.")
    return status

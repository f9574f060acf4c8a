"""Move schemas from the old system to the new, and prove that they mean the same."""

import argparse
import importlib
import sys
from types import ModuleType

COMMANDS = {
    "convert": ("migration.commands.convert", "turn an on-wiki schema into one for a repository"),
    "materialize": ("migration.commands.materialize", "make the released files of current.yaml"),
    "lint": ("migration.commands.lint", "check a repository against its rules"),
    "compat": ("migration.commands.compat", "say what changes between two schemas, with examples"),
    "verify": ("migration.commands.verify", "replay recorded traffic through both judges"),
    "fuzz": ("migration.commands.fuzz", "make events up and look where both judges differ"),
    "status": ("migration.commands.status", "say how far each schema has come, and what is next"),
    "report": ("migration.commands.report", "make one HTML file of what was found"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments: a sub-command, whose module has its own."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "commands:\n" + "\n".join(
        f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items()
    )
    parser.add_argument("migration", metavar="command", help="what to do; see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run a sub-command; return its exit code. 2 says that it was called wrongly."""
    if args.migration not in COMMANDS:
        print(
            f"sluiceway migrate: there is no command {args.migration!r}; there are "
            f"{', '.join(COMMANDS)}",
            file=sys.stderr,
        )
        return 2
    module: ModuleType = importlib.import_module(COMMANDS[args.migration][0])
    parser = argparse.ArgumentParser(
        prog=f"sluiceway migrate {args.migration}", description=(module.__doc__ or "").strip()
    )
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(args.rest))
    return code

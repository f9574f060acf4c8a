"""`sluiceway`: one command line for everything; each command is a module, loaded when asked for.

Other packages add commands through the entry-point group `sluiceway.commands`: the name of the
command, and a module with a docstring, `add_arguments(parser)` and `run(args) -> exit code`.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from types import ModuleType

from app import __version__
from app.core.errors import ConfigError
from app.logs import complain

COMMANDS = {
    "serve": ("app.commands.serve", "start the service"),
    "check": ("app.commands.check", "show the settings in force, and all that is wrong with them"),
    "doctor": ("app.commands.doctor", "look at all that the service needs, and say what to do"),
    "keys": ("app.commands.keys", "make an API key for whoever sends"),
    "decode": ("app.commands.decode", "turn old events in files into modern ones"),
    "consume": ("app.commands.consume", "take lines of old logs from Kafka or a file to the sink"),
    "log": ("app.logview", "read the embedded SQLite log"),
}
GROUP = "sluiceway.commands"
INTERRUPTED = 130
"""The exit code that a shell reports for Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. 2 says that it was called or configured wrongly."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="sluiceway",
        description="Event stream intake: JSON events, checked by their schemas, into streams.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:<9} {text}" for name, text in _listed()),
    )
    parser.add_argument("--version", action="version", version=f"sluiceway {__version__}")
    parser.add_argument("command", metavar="command", help="what to do; see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)

    module = _module_of(args.command)
    if module is None:
        parser.error(f"there is no command {args.command!r}; see `sluiceway --help`")
    command = argparse.ArgumentParser(
        prog=f"sluiceway {args.command}", description=(module.__doc__ or "").strip()
    )
    module.add_arguments(command)
    try:
        code: int = module.run(command.parse_args(args.rest))
    except ConfigError as error:
        complain(error.problems)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _module_of(name: str) -> ModuleType | None:
    if name in COMMANDS:
        return importlib.import_module(COMMANDS[name][0])
    for point in entry_points(group=GROUP, name=name):
        module: ModuleType = point.load()
        return module
    return None


def _listed() -> list[tuple[str, str]]:
    own = [(name, text) for name, (_, text) in COMMANDS.items()]
    return own + [(point.name, f"see {point.value}") for point in entry_points(group=GROUP)]


if __name__ == "__main__":
    sys.exit(main())

"""What tests of commands share."""

import argparse
import importlib
from typing import Any


def arguments(command: str, *given: str) -> Any:
    """The parsed arguments of a command of `sluiceway migrate`."""
    parser = argparse.ArgumentParser()
    importlib.import_module(f"migration.commands.{command}").add_arguments(parser)
    return parser.parse_args(given)

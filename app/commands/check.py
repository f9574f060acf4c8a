"""Show the settings in force, secrets masked, and everything that would keep the service down."""

import argparse
import asyncio
import sys

import yaml

from app.config import load_settings, masked
from app.service import check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--config", metavar="FILE", help="settings, as YAML")


def run(args: argparse.Namespace) -> int:
    """Print settings on standard output and problems on standard error; 2 if there are any."""
    settings = load_settings(args.config)
    if settings.demo:
        print("# No schemas and streams are configured: the demo is in force.")
    print(yaml.safe_dump(masked(settings), sort_keys=False, allow_unicode=True), end="")
    problems = [problem for kind in asyncio.run(check(settings)) for problem in kind]
    for problem in problems:
        print(f"sluiceway: {problem}", file=sys.stderr)
    if not problems:
        print("# No problems found.")
    return 2 if problems else 0

"""Make an API key: the key itself for whoever sends, its hash for the settings of the service."""

import argparse
import sys

import yaml

from app.auth.keys import hash_of, new_key
from app.settings import hash_problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("action", choices=["new"], help="new: make a key")
    parser.add_argument("name", help="whose key it is; a stream's producers name them so")


def run(args: argparse.Namespace) -> int:
    """Print the key and its settings; nothing is kept. Return 2 for a name that cannot be."""
    key = new_key()
    hashed = hash_of(key)
    if problem := hash_problem(args.name, hashed):
        print(f"sluiceway: {problem}", file=sys.stderr)
        return 2
    settings = yaml.safe_dump({"auth": {"api_keys": {args.name: hashed}}}, allow_unicode=True)
    print(f"# The key of {args.name}. It is shown this once; it goes to whoever sends:")
    print(key)
    print("# Its hash, for the settings of the service:")
    print(settings, end="")
    return 0

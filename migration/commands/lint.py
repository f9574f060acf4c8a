"""Check a schema repository against its rules, with file and line of what breaks them.

REPOSITORY is the folder that schema URIs lead into.
"""

import argparse
import sys
from pathlib import Path

from app.core.errors import ConfigError
from migration.linting.exceptions import FILE, Except, load_exceptions, unused
from migration.linting.finding import Finding
from migration.linting.fixes import fix
from migration.linting.linter import lint
from migration.linting.output import FORMATS, shown, summary
from migration.materialize import Library
from migration.repository import Folder, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("repository", metavar="REPOSITORY", help="the repository, a folder")
    parser.add_argument(
        "title", metavar="TITLE", nargs="*", help="only these schemas, such as shop/visit"
    )
    parser.add_argument(
        "--schemas",
        metavar="FOLDER",
        action="append",
        default=[],
        help="another repository that schemas refer to; may be given more than once",
    )
    parser.add_argument(
        "--exceptions",
        metavar="FILE",
        help=f"which schemas need not keep which rules (default: {FILE} in the repository)",
    )
    parser.add_argument(
        "--numeric-bounds",
        choices=("safe", "none"),
        default="safe",
        help="what the repository is materialized with; none needs no bounds (default: safe)",
    )
    parser.add_argument(
        "--fix", action="store_true", help="mend what needs no decision; releases stay as they are"
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="how findings are printed"
    )


def run(args: argparse.Namespace) -> int:
    """Lint; return 0 if nothing was found, 1 if something was, 2 if it was called wrongly."""
    repository = Path(args.repository)
    try:
        folders = _folders(repository, args)
        exceptions = _exceptions(repository, args.exceptions)
    except ConfigError as error:
        print(f"sluiceway migrate lint: {error}", file=sys.stderr)
        return 2
    found = _found(folders, args)
    kept = [one for one in found if not any(each.allows(one) for each in exceptions)]
    if args.fix and any(one.fix for one in kept):
        try:
            mended = fix(kept)
        except OSError as error:
            print(f"sluiceway migrate lint: {error}", file=sys.stderr)
            return 2
        print(f"{mended} mended", file=sys.stderr)
        folders = _folders(repository, args)
        found = _found(folders, args)
        kept = [one for one in found if not any(each.allows(one) for each in exceptions)]
    for finding in kept:
        print(shown(finding, args.format))
    if not args.title:
        for pattern in unused(exceptions, found):
            print(f"the exception for {pattern} is not needed", file=sys.stderr)
    text = summary(kept, schemas=len(folders), excepted=len(found) - len(kept))
    print(text, file=sys.stdout if args.format == "text" else sys.stderr)
    return int(bool(kept))


def _found(folders: list[Folder], args: argparse.Namespace) -> list[Finding]:
    repository = Path(args.repository)
    bounded = args.numeric_bounds == "safe"
    library = Library([repository, *map(Path, args.schemas)], bounded=bounded)
    library.add_unreleased(folders_of(repository))
    return [one for one in lint(folders, library) if bounded or one.rule != "numeric-bounds"]


def _folders(repository: Path, args: argparse.Namespace) -> list[Folder]:
    for folder in (repository, *map(Path, args.schemas)):
        if not folder.is_dir():
            raise ConfigError(f"{folder} is no folder.")
    folders = folders_of(repository)
    wanted = {title.strip("/") for title in args.title}
    unknown = wanted - {folder.title for folder in folders}
    if unknown:
        raise ConfigError(f"{repository} has no schema {', '.join(sorted(unknown))}.")
    if not folders:
        raise ConfigError(f"{repository} has no schemas.")
    return [folder for folder in folders if not wanted or folder.title in wanted]


def _exceptions(repository: Path, name: str | None) -> list[Except]:
    path = Path(name) if name else repository / FILE
    return load_exceptions(path) if name or path.is_file() else []

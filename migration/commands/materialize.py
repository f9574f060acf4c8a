"""Make the released files of current.yaml: X.Y.Z.yaml without references, and links to it.

Each REPOSITORY is the folder that schema URIs lead into. A release is written once and never
changes.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from migration.materialize import Library
from migration.materializefiles import Release, releases_of, write
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
        "--numeric-bounds",
        choices=("safe", "none"),
        default="safe",
        help="what numbers without bounds are given: those of exact integers in JavaScript "
        "(safe, the default), or none",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 if there is something to do",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line for each schema")


def run(args: argparse.Namespace) -> int:
    """Materialize; 0 if all is there, 1 if something was refused (or is to do), 2 if misused."""
    repository = Path(args.repository)
    for folder in (repository, *map(Path, args.schemas)):
        if not folder.is_dir():
            return _misused(f"{folder} is no folder")
    folders = folders_of(repository)
    if args.title:
        wanted = {title.strip("/") for title in args.title}
        folders = [folder for folder in folders if folder.title in wanted]
        unknown = wanted - {folder.title for folder in folders}
        if unknown:
            return _misused(f"{repository} has no schema {', '.join(sorted(unknown))}")
    if not any(folder.current for folder in folders):
        return _misused(f"{repository} has no current.yaml")
    library = Library([repository, *map(Path, args.schemas)], bounded=args.numeric_bounds == "safe")
    try:
        return _materialize(folders, library, args)
    except OSError as error:
        print(f"sluiceway migrate materialize: {error}", file=sys.stderr)
        return 1


def _misused(why: str) -> int:
    print(f"sluiceway migrate materialize: {why}", file=sys.stderr)
    return 2


def _materialize(folders: list[Folder], library: Library, args: argparse.Namespace) -> int:
    bad = False
    unchanged = 0
    for release in list(releases_of(folders, library)):
        if not args.check:
            write(release)
        bad |= release.state == "refused" or (args.check and release.changes)
        unchanged += release.state == "unchanged" and not release.changes
        if args.json:
            print(json.dumps(_as_json(release, check=args.check)))
            continue
        for line in _as_text(release, check=args.check):
            print(line)
    if unchanged and not args.json:
        print(f"{unchanged} unchanged")
    return int(bad)


def _as_text(release: Release, *, check: bool) -> Iterator[str]:
    if release.state == "refused":
        yield f"{release.current}:{release.line}: refused: {release.problem}"
    if release.text:
        yield f"{'would release' if check else 'released'} {release.file}"
    for link in release.links:
        yield f"{'would link' if check else 'linked'} {link.path} to {link.target}"


def _as_json(release: Release, *, check: bool) -> dict[str, object]:
    return {
        "title": release.title,
        "uri": release.uri or None,
        "state": release.state,
        "written": not check and release.changes,
        "file": str(release.file) if release.uri else None,
        "links": {link.path.name: link.target for link in release.links},
        "problem": release.problem or None,
        "line": release.line if release.problem else None,
    }

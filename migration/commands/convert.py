"""Convert on-wiki schemas of draft 3 into schemas of a repository, and say what they mean now."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors import ConfigError
from app.schemas.uris import is_version
from legacy.capsule import is_capsule
from migration.conversion.batch import Batch, Result
from migration.conversion.capsule import load_capsule
from migration.conversion.nodes import ConversionError
from migration.conversion.options import CAPSULE, FIRST_VERSION, Bounds, Options
from migration.conversion.summary import as_json, as_text
from migration.conversion.yamltext import yaml_of
from migration.onwiki import OnWikiError, OnWikiSchema, load_schema, newest_in, read_schema

STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "source",
        nargs="+",
        help="a schema as JSON, an answer of the wiki's API that holds one, - for stdin, or a "
        "folder of files called Name-revision.json",
    )
    parser.add_argument(
        "--repository",
        metavar="DIR",
        required=True,
        help="the folder that schema URIs lead into; the schema becomes "
        "DIR/analytics/legacy/<name>/current.yaml",
    )
    parser.add_argument("--name", help="the schema's name, where neither file nor answer tells it")
    parser.add_argument("--revision", type=int, help="its revision on the wiki, for the example")
    parser.add_argument(
        "--version", default=FIRST_VERSION, help=f"the version that it becomes ({FIRST_VERSION})"
    )
    parser.add_argument(
        "--closed-event",
        action="store_true",
        help="refuse unknown properties of events, as the old system did",
    )
    parser.add_argument(
        "--numeric-bounds",
        metavar="BOUNDS",
        default="safe",
        help="what bounds numbers that have no bound: safe (the default: integers that are exact "
        "in JavaScript), none, or MIN:MAX",
    )
    parser.add_argument(
        "--capsule",
        metavar="URI",
        default=CAPSULE,
        help=f"the fragment of what stands around the event ({CAPSULE})",
    )
    parser.add_argument(
        "--write-capsule",
        action="store_true",
        help="write a fragment of ours to the repository if it has none at the usual URI",
    )
    parser.add_argument(
        "--example", metavar="FILE", help="a real event, or a capsule with one, to be the example"
    )
    parser.add_argument("--mapping", metavar="FILE", help="the mapping file to list the name in")
    parser.add_argument(
        "--streams", metavar="FILE", help="the stream configuration to put the stream into"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a current.yaml that says something else, and may be written by hand",
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON line for each source")


def run(args: argparse.Namespace) -> int:
    """Convert; 0 if everything was, 1 if something could not be, 2 if it was called wrongly."""
    try:
        batch = _batch(args)
        example = _example(args)
        sources = list(_sources(args))
    except (ConfigError, ConversionError) as error:
        print(f"sluiceway migrate convert: {error}", file=sys.stderr)
        return 2
    if batch.capsule.is_ours:
        _say_of_capsule(batch, args)
    failed = False
    for one in sources:
        result = one if isinstance(one, Result) else next(batch.run([one], example))
        failed |= result.problem is not None
        _show(result, args)
    return 1 if failed else 0


def _batch(args: argparse.Namespace) -> Batch:
    if not is_version(args.version):
        raise ConfigError(f"--version: {args.version!r} is not three numbers, like 1.0.0.")
    options = Options(
        closed_event=args.closed_event,
        bounds=Bounds.parse(args.numeric_bounds),
        version=args.version,
        capsule=args.capsule,
    )
    repository = Path(args.repository)
    return Batch(
        repository,
        options,
        load_capsule(args.capsule, repository),
        mapping=Path(args.mapping) if args.mapping else None,
        streams=Path(args.streams) if args.streams else None,
        overwrite=args.overwrite,
        dry_run=args.dry_run,
    )


def _sources(args: argparse.Namespace) -> Iterator[OnWikiSchema | Result]:
    """Yield the schemas of all sources, or results for those that cannot be read."""
    if args.source.count(STDIN) > 1:
        raise ConfigError("stdin (-) can be read once only.")
    many = len(args.source) > 1 or Path(args.source[0]).is_dir()
    for option in ("name", "revision", "example"):
        if many and getattr(args, option) is not None:
            raise ConfigError(f"--{option} goes with one schema, not with several.")
    told = {"name": args.name, "revision": args.revision}
    told = {key: value for key, value in told.items() if value is not None}
    for source in args.source:
        path = Path(source)
        try:
            if path.is_dir():
                yield from _of_folder(path)
            elif source == STDIN:
                yield replace(read_schema(sys.stdin.buffer, "stdin"), **told)
            else:
                yield replace(load_schema(path), **told)
        except OnWikiError as error:
            yield Result(source, problem=str(error))


def _of_folder(folder: Path) -> Iterator[OnWikiSchema | Result]:
    newest = newest_in(folder)
    if not newest:
        raise OnWikiError("no file in it is called Name-revision.json")
    for path in newest:
        try:
            yield load_schema(path)
        except OnWikiError as error:
            yield Result(str(path), problem=str(error))


def _example(args: argparse.Namespace) -> Any:
    if args.example is None:
        return None
    try:
        value = json.loads(Path(args.example).read_bytes())
    except OSError as error:
        raise ConfigError(f"--example: {error.filename}: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"--example: {args.example} is not JSON: {error}.") from error
    return value.get("event") if is_capsule(value) else value


def _say_of_capsule(batch: Batch, args: argparse.Namespace) -> None:
    if args.write_capsule and not args.dry_run:
        path, change = batch.write_capsule()
        said = f"The capsule fragment is {change}: {path}"
    else:
        said = (
            f"The repository has no released {batch.capsule.uri}, to which the schemas refer. "
            "--write-capsule puts a current.yaml for it there, to be materialized first."
        )
    print(said, file=sys.stderr)


def _show(result: Result, args: argparse.Namespace) -> None:
    text = as_json(result) if args.json else as_text(result)
    if args.dry_run and not args.json:
        print(text, file=sys.stderr)
        if result.conversion:
            print(yaml_of(result.conversion.document), end="")
    else:
        print(text)

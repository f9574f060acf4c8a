"""Replay recorded traffic through the old judge and the new pipeline, and show where they differ.

Sources are files of log lines, beacon queries or URLs, or capsules, one a line, also compressed
(.gz), or folders of them; - is standard input. The report is the same whenever and wherever the
same traffic is judged.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from app.commands.decodestrict import load_schemas
from app.commands.progress import Progress
from app.config import load_settings
from app.core.errors import ConfigError
from migration.parity import engines
from migration.parity.causes import CLASSES
from migration.parity.judges import CLOCK, Judges, Plan
from migration.parity.report import Report, classes_of, report_of, text_of_report
from migration.parity.summary import Summary
from migration.parity.terminal import show
from migration.parity.topic import collect
from migration.parity.traffic import Portion, files_of, portions_of

STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "source", nargs="*", help="files or folders of recorded traffic; - is stdin"
    )
    parser.add_argument("--config", metavar="FILE", help="settings of the service: the new side")
    parser.add_argument(
        "--old-schemas",
        metavar="DIR",
        required=True,
        help="the wiki's draft-3 schemas, as files called Name-revision.json: the old side",
    )
    parser.add_argument(
        "--from",
        dest="kind",
        choices=("auto", "line", "query", "capsule"),
        default="auto",
        help="what each line is; auto looks at each (the default)",
    )
    parser.add_argument("--format", help="the columns of log lines, or the name of a format")
    parser.add_argument(
        "--kafka", metavar="HOST:PORT", help="read --topic from there, to its present end"
    )
    parser.add_argument("--topic", help="with --kafka: a topic of old raw lines")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes to use")
    parser.add_argument(
        "--engine",
        choices=("local", "spark"),
        default="local",
        help="spark: judge on a Spark cluster, which finds all files at the same paths",
    )
    parser.add_argument(
        "--master", help="with --engine spark: the cluster, as spark:// or local[2]"
    )
    parser.add_argument(
        "--work", metavar="DIR", help="keep results here as they come; a second run goes on"
    )
    parser.add_argument("--out", metavar="FILE", help="write the report there, as JSON")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--allow",
        metavar="CLASS",
        action="append",
        default=[],
        help=f"differences that are no failure: {', '.join(CLASSES)}; may be repeated",
    )
    parser.add_argument(
        "--clock",
        default=CLOCK,
        help=f"when everything was received that does not say when ({CLOCK})",
    )


def run(args: argparse.Namespace) -> int:
    """Replay; 0 if both agree on every event, 1 if not, 2 if it was called wrongly."""
    try:
        with ExitStack() as stack:
            report = _report(args, stack)
    except ConfigError as error:
        for problem in error.problems:
            print(f"sluiceway migrate verify: {problem}", file=sys.stderr)
        return 2
    finally:
        engines.forget()
    text = text_of_report(report)
    if args.out:
        Path(args.out).write_text(text)
    if args.json:
        print(text, end="")
    else:
        show(report, sys.stdout)
    return 1 if _unallowed(report, args.allow) else 0


def _unallowed(report: Report, allowed: Sequence[str]) -> bool:
    kinds = (kind.split("+") for kind in classes_of(report))
    return any(not set(kind) <= set(allowed) for kind in kinds)


def _report(args: argparse.Namespace, stack: ExitStack) -> Report:
    unknown = [kind for kind in args.allow if kind not in CLASSES]
    if unknown:
        raise ConfigError(f"--allow {unknown[0]}: there are {', '.join(CLASSES)}.")
    files = _files(args, stack)
    # Workers may have another working directory.
    config = str(Path(args.config).resolve()) if args.config else None
    schemas = str(Path(args.old_schemas).resolve())
    plan = Plan(config, schemas, args.kind, args.format, args.clock)
    Judges(plan).close()  # whatever is wrong with the plan is told now, and once
    work = str(Path(args.work).resolve()) if args.work else None
    task = engines.task_of(plan, work, _inputs(config, Path(schemas)))
    portions = portions_of(files)
    started = time.monotonic()
    progress = Progress(sys.stderr, total=sum(file.stat().st_size for file in files))
    whole = Summary()
    done = 0
    try:
        for portion, summary in zip(portions, _summaries(args, task, portions), strict=True):
            whole.add(summary)
            done += (portion.end or Path(portion.path).stat().st_size) - portion.start
            progress.advance(whole.total, done)
    finally:
        progress.clear()
    _tell_speed(args, whole, time.monotonic() - started, work)
    return report_of(whole, files, load_schemas(schemas, lambda _problem: None))


def _summaries(
    args: argparse.Namespace, task: engines.Task, portions: Sequence[Portion]
) -> Iterator[Summary]:
    if args.engine == "spark":
        return engines.on_spark(task, portions, args.master)
    jobs = min(args.jobs, len(portions))
    if jobs <= 1:
        return engines.here(task, portions)
    return engines.in_processes(task, portions, jobs)


def _files(args: argparse.Namespace, stack: ExitStack) -> list[Path]:
    if bool(args.kafka) != bool(args.topic):
        raise ConfigError("--kafka and --topic go together.")
    if bool(args.kafka) == bool(args.source):
        raise ConfigError("Say what to replay: files or folders, - for stdin, or --kafka.")
    if not args.kafka and args.source != [STDIN]:
        return [path.resolve() for path in files_of(args.source)]
    if args.engine == "spark":
        raise ConfigError("--engine spark reads files, which every machine finds.")
    folder = Path(args.work or stack.enter_context(tempfile.TemporaryDirectory()))
    folder.mkdir(parents=True, exist_ok=True)
    if args.kafka:
        return asyncio.run(collect(args.kafka, args.topic, folder, load_settings(args.config)))
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return [path]


def _inputs(config: str | None, schemas: Path) -> list[Path]:
    settings = load_settings(config)
    named = [config, settings.legacy.mapping, settings.streams.uri]
    files = [Path(name) for name in named if name and Path(name).is_file()]
    files += sorted(schemas.rglob("*.json"))
    for base in settings.schemas.base_uris:
        if Path(base).is_dir():
            files += sorted(path for path in Path(base).rglob("*") if path.is_file())
    return files


def _tell_speed(args: argparse.Namespace, whole: Summary, seconds: float, work: str | None) -> None:
    told = {
        "engine": args.engine,
        "jobs": args.jobs,
        "lines": whole.total,
        "events": whole.events,
        "seconds": round(seconds, 3),
        "lines_per_second": round(whole.total / seconds) if seconds else None,
    }
    if work:
        (Path(work) / "run.json").write_text(json.dumps(told) + "\n")
    print(
        f"{whole.total:,} lines in {seconds:,.1f} s, {told['lines_per_second']:,} a second.",
        file=sys.stderr,
    )

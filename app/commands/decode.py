"""Decode old events: log lines, beacon queries or capsules, one per line; modern events come out.

They pass the service's own gate, so that what is printed is what would be stored. With --strict,
what the old system itself would have published is printed instead.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from app.commands.decodestrict import StrictDecoder, answers_of, load_schemas
from app.commands.oldlines import MAX_LINE, Kind, OldLine, kind_of, lines_of, query_in
from app.commands.progress import Progress
from app.config import load_settings
from app.core.errors import ConfigError, EventError, MalformedEvent
from app.core.events import Context, Decoder, Outcome, RawEvent
from app.core.json import loads
from app.core.time import iso_of_ms
from app.service import Service, open_service
from app.settings import Settings
from app.sinks.memory import MemorySink
from legacy.formats import FORMATS, FormatError, LineFormat
from legacy.logline import PRODUCTION
from legacy.strict.cases import Cases

BATCH = 500
"""Lines that are decoded together; their events are held in memory, and share a time of receipt."""

SOURCE = "decode"
TOLD = 500
"""Characters of a problem that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("file", nargs="?", default="-", help="what to read; - or nothing: stdin")
    parser.add_argument("--config", metavar="FILE", help="settings, as YAML: schemas, mapping")
    parser.add_argument(
        "--from",
        dest="kind",
        choices=("auto", "line", "query", "capsule"),
        default="auto",
        help="what each line is; auto looks at each (the default)",
    )
    parser.add_argument(
        "--format",
        help="the columns of log lines, such as '%%q %%{recvFrom}s %%{seqId}d %%t', or a name: "
        f"{', '.join(FORMATS)}; every line is then a log line",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="print what the old system would have published, or its EventError",
    )
    parser.add_argument(
        "--schemas", metavar="DIR", help="with --strict: draft-3 schemas, Name-revision.json"
    )
    parser.add_argument(
        "--vectors",
        metavar="FILE",
        help="with --strict: recorded cases as JSON lines; print one answer for each",
    )


def run(args: argparse.Namespace) -> int:
    """Decode; 0 if every line was decoded, 1 if some were not, 2 if it was called wrongly."""
    with _opened(args.vectors or args.file) as source:
        progress = Progress(sys.stderr, total=_size(source))
        try:
            if args.vectors is not None:
                failed = _vectors(args, source, progress)
            elif args.strict:
                failed = _strict(args, source, progress)
            elif args.schemas is not None:
                raise ConfigError("--schemas goes with --strict.")
            else:
                failed = asyncio.run(_modern(args, load_settings(args.config), source, progress))
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        finally:
            progress.clear()
    return 1 if failed else 0


async def _modern(
    args: argparse.Namespace, settings: Settings, source: BinaryIO, progress: Progress
) -> int:
    try:
        line_format = LineFormat.parse(args.format) if args.format else PRODUCTION
    except FormatError as error:
        raise ConfigError(f"--format: {error}") from error
    # What is turned away is told on standard error, not on a stream.
    untold = settings.error_stream.model_copy(update={"name": None})
    sink = MemorySink()
    failed = 0
    async with open_service(
        settings.model_copy(update={"error_stream": untold}), sink=sink
    ) as service:
        lines = lines_of(source)
        while batch := list(islice(lines, BATCH)):
            failed += await _decode_batch(service, batch, _kind(args), line_format, progress)
            sys.stdout.buffer.writelines(record.value + b"\n" for record in sink.records)
            sink.records.clear()
            progress.advance(batch[-1].number, batch[-1].end)
    return failed


async def _decode_batch(
    service: Service,
    batch: Sequence[OldLine],
    kind: Kind | None,
    line_format: LineFormat,
    progress: Progress,
) -> int:
    context = Context(source=SOURCE, received_ms=time.time_ns() // 1_000_000)
    raws = [raw for line in batch for raw in _raws_of(line, kind)]
    outcomes = await service.process(raws, context, _decoder(service, line_format, context))
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        progress.say(_problem(outcome))
    return len(failed)


def _raws_of(line: OldLine, kind: Kind | None) -> Iterator[RawEvent]:
    """Return what is to be decoded of a line: the line, or each capsule of an array."""
    if line.text is None:
        too_long = MalformedEvent(f"The line has more than {MAX_LINE:,} bytes.")
        yield RawEvent((line.number, "line", too_long))
        return
    kind = kind or kind_of(line.text)
    payload: Any = line.text
    if kind == "query":
        payload = query_in(line.text)
    elif kind == "capsule":
        try:
            payload = loads(line.text.strip())
        except ValueError as error:
            payload = error
        if isinstance(payload, list):
            yield from (RawEvent((line.number, kind, item)) for item in payload)
            return
    yield RawEvent((line.number, kind, payload))


def _decoder(service: Service, line_format: LineFormat, context: Context) -> Decoder:
    received_dt = iso_of_ms(context.received_ms)
    legacy = service.legacy

    def decode(numbered: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
        _, kind, payload = numbered
        if isinstance(payload, Exception):
            raise payload
        if kind == "line":
            return legacy.log_line(payload, received_dt=received_dt, form=line_format)
        if kind == "query":
            return legacy.beacon(payload, received_dt=received_dt)
        return legacy.capsule(payload, received_dt=received_dt)

    return decode


def _problem(outcome: Outcome) -> str:
    error = outcome.error
    assert isinstance(error, EventError)
    sentences = ". ".join(text.rstrip(".") for text in (str(error), error.hint) if text)
    return f"line {outcome.raw.payload[0]}: {outcome.reason}: {sentences}."[:TOLD]


def _strict(args: argparse.Namespace, source: BinaryIO, progress: Progress) -> int:
    decoder = StrictDecoder(load_schemas(args.schemas, progress.say), args.format)
    failed = 0
    for line in lines_of(source):
        problem: str | None = "the line is too long"
        if line.text is not None:
            published, problem = decoder.decode(line, _kind(args) or kind_of(line.text))
            sys.stdout.buffer.write(published or b"")
        if problem is not None:
            failed += 1
            progress.say(f"line {line.number}: {problem}"[:TOLD])
        progress.advance(line.number, line.end)
    return failed


def _vectors(args: argparse.Namespace, source: BinaryIO, progress: Progress) -> int:
    cases = Cases(load_schemas(args.schemas, progress.say))
    failed = 0
    for line in lines_of(source):
        try:
            sys.stdout.buffer.write(answers_of(cases, line))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            failed += 1
            progress.say(f"line {line.number}: it is no case: {error}"[:TOLD])
        progress.advance(line.number, line.end)
    return failed


def _kind(args: argparse.Namespace) -> Kind | None:
    """Return what every line is, None if each is to be looked at."""
    if args.format:
        return "line"
    kind: Kind | None = None if args.kind == "auto" else args.kind
    return kind


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(name).open("rb")  # noqa: SIM115 (a problem of reading is none of opening)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror or error}.") from error
    with source:
        yield source


def _size(source: BinaryIO) -> int | None:
    """Return how many bytes there are to read, None for a pipe or a terminal."""
    with suppress(OSError, ValueError):
        return os.fstat(source.fileno()).st_size or None
    return None

"""What `sluiceway log` prints: the events of the embedded log, for people or as JSON lines."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable

from app.core.errors import ConfigError
from app.core.time import iso_of_ms
from app.logreader import LogReader, StoredEvent, StreamCount

_FOLLOW_FROM = 10  # events shown before the new ones, as with `tail -f`
_POLL = 0.3  # seconds

# What could move the cursor, colour the screen, hide or turn text round: control characters (C0,
# DEL, C1), line separators, marks of direction, the byte order mark, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
_NOT_ASCII = re.compile("[^\x20-\x7e]")
_WHITE = str.maketrans("\t\n\r", "   ")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sluiceway log`."""
    parser.add_argument(
        "--path",
        default="./sluiceway.db",
        metavar="FILE",
        help="the event log's file (default: %(default)s)",
    )
    parser.add_argument(
        "--stream",
        action="append",
        metavar="NAME",
        help="only events of this stream; may be given several times",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with new events as they are stored"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument(
        "--counts", action="store_true", help="how many events each stream has, instead of them"
    )
    parser.add_argument(
        "--after", type=_count, metavar="OFFSET", help="only events with larger offsets"
    )
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--limit", type=_count, metavar="N", help="at most the first N events")
    some.add_argument("--last", type=_count, metavar="N", help="at most the last N events")


def run(args: argparse.Namespace, *, wait: Callable[[float], None] = time.sleep) -> int:
    """Print what the options ask for; return the exit code. `wait` passes time when following."""
    log = LogReader(args.path)
    try:
        if args.counts:
            _print_counts(log, args)
        else:
            _print_events(log, args, wait)
        sys.stdout.flush()
    except ConfigError as error:
        print(f"{error}\n{_advice(log)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as a shell reports it
    except BrokenPipeError:  # `| head` has seen enough
        _close_quietly()
    return 0


def _print_events(log: LogReader, args: argparse.Namespace, wait: Callable[[float], None]) -> None:
    line_of = _json_line if args.json else _line
    after = args.after or 0
    last = args.last
    if args.follow and args.after is None and last is None and args.limit is None:
        last = _FOLLOW_FROM
    if last is not None:
        after = max(after, log.before_last(last, args.stream)) if last else _end_of(log)
    left = args.limit
    shown = 0
    while True:
        for event in log.read(after, args.stream, left):
            print(line_of(event))
            after = event.offset
            shown += 1
            if left is not None:
                left -= 1
        if left == 0 or not args.follow:
            break
        sys.stdout.flush()
        wait(_POLL)
    if not shown and left != 0 and last != 0:
        _say_empty(log, args)


def _print_counts(log: LogReader, args: argparse.Namespace) -> None:
    counts = [c for c in log.counts() if not args.stream or c.stream in args.stream]
    if args.json:
        for count in counts:
            print(_json_count(count))
    elif counts:
        rows = [("STREAM", "EVENTS", "LAST STORED")]
        rows += [(_safe(c.stream), str(c.events), _time_of(c.last_stored_ms)) for c in counts]
        name, events = (max(len(row[column]) for row in rows) for column in (0, 1))
        for row in rows:
            print(f"{row[0]:{name}}  {row[1]:>{events}}  {row[2]}")
    if not counts:
        _say_empty(log, args)


def _line(event: StoredEvent) -> str:
    time_of = _time_of(event.timestamp_ms)
    return f"{event.offset}  {time_of}  {_safe(event.stream)}  {_event_of(event)}"


def _json_line(event: StoredEvent) -> str:
    facts = {
        "offset": event.offset,
        "topic": event.topic,
        "stream": event.stream,
        "key": None,
        "timestamp": _time_of(event.timestamp_ms),
        "schema_uri": event.schema_uri,
        "event": None,
    }
    texts = {name: _safe(json.dumps(value, ensure_ascii=False)) for name, value in facts.items()}
    texts["key"] = "null" if event.key is None else _json_text(event.key)
    texts["event"] = _event_of(event)
    return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


def _json_count(count: StreamCount) -> str:
    facts = {
        "stream": count.stream,
        "events": count.events,
        "last_offset": count.last_offset,
        "last_stored": _time_of(count.last_stored_ms),
    }
    return _safe(json.dumps(facts, ensure_ascii=False))


def _event_of(event: StoredEvent) -> str:
    return _json_text(event.value)


def _json_text(stored: bytes) -> str:
    """Return stored JSON as it stands, numbers to the letter; anything else as a JSON string."""
    try:
        text = stored.decode()
        json.loads(text)
    except (ValueError, RecursionError):
        text = json.dumps(stored.decode("utf-8", "backslashreplace"), ensure_ascii=False)
    # White space between tokens; inside strings JSON has it escaped.
    return _safe(text.translate(_WHITE))


def _safe(text: str) -> str:
    """Write what a terminal could act on as JSON escapes."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return (_UNSAFE if utf8 else _NOT_ASCII).sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _time_of(ms: int) -> str:
    try:
        return iso_of_ms(ms)
    except (ValueError, OverflowError, OSError):  # no calendar goes that far
        return f"{ms}ms"


def _end_of(log: LogReader) -> int:
    return max((count.last_offset for count in log.counts()), default=0)


def _say_empty(log: LogReader, args: argparse.Namespace) -> None:
    streams = [_safe(count.stream) for count in log.counts()]
    if not streams:
        print(f"{log.path} holds no events yet.", file=sys.stderr)
    elif args.stream and not set(args.stream) & set(streams):
        wanted = ", ".join(_safe(name) for name in args.stream)
        print(
            f"{log.path} holds no events of {wanted}; it has {', '.join(streams)}.",
            file=sys.stderr,
        )
    else:
        print(f"{log.path} holds no such events after offset {args.after}.", file=sys.stderr)


def _advice(log: LogReader) -> str:
    if log.path.exists():
        return "Name the file of a Sluiceway log: sluiceway log --path FILE."
    return "Start `sluiceway serve` in this folder to make one, or name another: --path FILE."


def _close_quietly() -> None:
    # Else Python complains at exit that it cannot flush to a pipe that nobody reads.
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text} is not a number of events or an offset")
    return number

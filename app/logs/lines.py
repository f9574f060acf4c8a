"""One record is one line, whatever was logged: as text for people, or as a JSON object.

No line is longer than `MAX_LINE` bytes, and none has a control character, a line separator or half
of a surrogate pair in it.
"""

import json
import logging
import math
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Any

from app.core.current import CURRENT
from app.logs.faults import fault_text

MAX_LINE = 8_192
"""Bytes of a line of JSON, with its end; the shares below stay within it."""
MAX_LOGGER = 100
MAX_MESSAGE = 1_000
MAX_EXTRA = 1_500
MAX_VALUE = 500
MAX_NAME = 60
MAX_FAULT = 4_500
MORE = "…"
"""What is put where a text was cut."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_MAX_EXACT = 2**53


class JsonLines(logging.Formatter):
    """One JSON object per record: ts, level, logger, pid, message; request_id, extra, exception.

    `whole_faults`: exceptions are shown with what they say, whatever that may repeat.
    """

    def __init__(self, *, whole_faults: bool = False) -> None:
        super().__init__()
        self._whole_faults = whole_faults

    def format(self, record: logging.LogRecord) -> str:
        fields = [
            f'"ts":"{_time(record)}"',
            f'"level":{quoted(record.levelname.lower(), MAX_NAME)}',
            f'"logger":{quoted(record.name, MAX_LOGGER)}',
            f'"pid":{record.process or 0}',
            f'"message":{quoted(_message(record), MAX_MESSAGE)}',
        ]
        if (request_id := _request_id()) is not None:
            fields.append(f'"request_id":{quoted(request_id, MAX_VALUE)}')
        if extra := _extra(record):
            fields.append(f'"extra":{_object(extra, MAX_EXTRA)}')
        if record.exc_info and record.exc_info[1]:
            text = fault_text(record.exc_info[1], whole=self._whole_faults)
            fields.append(f'"exception":{quoted(text, MAX_FAULT)}')
        return "{" + ",".join(fields) + "}"


class TextLines(logging.Formatter):
    """`2024-02-03T04:05:06.789Z warning app.streams: Sentence. (key=value)`.

    Only an exception has lines of its own, each marked with a bar. `whole_faults` as above.
    """

    def __init__(self, *, whole_faults: bool = False) -> None:
        super().__init__()
        self._whole_faults = whole_faults

    def format(self, record: logging.LogRecord) -> str:
        extra = _extra(record)
        if (request_id := _request_id()) is not None:
            extra["request_id"] = request_id
        line = f"{_time(record)} {record.levelname.lower()} {_cut(record.name, MAX_LOGGER)}: "
        line += _cut(_message(record), MAX_MESSAGE)
        if beside := ", ".join(f"{name}={_text(value)}" for name, value in extra.items()):
            line += f" ({_cut(beside, MAX_EXTRA)})"
        if record.exc_info and record.exc_info[1]:
            text = fault_text(record.exc_info[1], whole=self._whole_faults)
            # Each line of it is marked, so that none can pass for a record of its own.
            for part in text[:MAX_FAULT].split("\n"):
                line += f"\n  | {_cut(part, MAX_FAULT)}"
        return line


def quoted(text: str, room: int) -> str:
    """Return a text as a JSON string of ASCII, of at most `room` bytes with its quotes."""
    literal = _literal(text[:room])
    if len(text) <= room and len(literal) <= room:
        return literal
    room -= len(_literal(MORE)) - 2
    # Characters take one to twelve bytes: as many are kept as fit.
    fits = bisect_right(range(min(len(text), room)), room, key=lambda n: len(_literal(text[:n])))
    return _literal(text[: max(0, fits - 1)] + MORE)


def _literal(text: str) -> str:
    # json escapes all but ASCII; DEL is ASCII, and a control character all the same.
    return json.dumps(_whole(text)).replace("\x7f", "\\u007f")


def _object(values: dict[str, Any], room: int) -> str:
    """Return values as a JSON object of at most `room` bytes; what has no room is left out."""
    parts: list[str] = []
    room -= len('{"more":true}')
    for name, value in values.items():
        part = f"{quoted(name, MAX_NAME)}:{_value(value)}"
        if len(part) + 1 > room:
            parts.append('"more":true')
            break
        room -= len(part) + 1
        parts.append(part)
    return "{" + ",".join(parts) + "}"


def _value(value: Any) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case int() if abs(value) < _MAX_EXACT:
            return str(value)
        case float() if math.isfinite(value):
            return json.dumps(value)
    return quoted(_text(value), MAX_VALUE)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 (a library's mistake must not cost the line)
        return f"{_text(record.msg)} (its arguments do not fit)"


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (the same)
        return f"<{type(value).__name__}>"


def _request_id() -> str | None:
    current = CURRENT.get()
    return current.named() if current is not None and not current.is_over else None


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _cut(text: str, room: int) -> str:
    """Return a text for people: all that is no letter, digit, sign or plain space is escaped."""
    shown = _whole(text[:room])
    if not shown.isprintable():
        shown = "".join(map(_shown_character, shown))
    return shown if len(text) <= room and len(shown) <= room else shown[:room] + MORE


def _shown_character(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _whole(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no JSON reader need take."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

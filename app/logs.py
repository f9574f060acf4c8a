"""What the service says about itself: lines for people, or JSON lines for machines.

One record is one line, whatever was logged: control characters are escaped and long texts cut. Only
the traceback of a defect has lines of its own in text, each marked with a bar.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

MAX_LINE = 8_000

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure_logs(style: str, level: str) -> None:
    """Send every logger's records to standard error, as `text` or `json`."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Uvicorn's and httpx's notes on each request or start-up step are not for operators.
    for name in ("uvicorn.access", "uvicorn.error", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


class TextLines(logging.Formatter):
    """`2024-02-03T04:05:06.789Z warning app.streams: Sentence. (key=value)`."""

    def format(self, record: logging.LogRecord) -> str:
        extras = _extras(record)
        beside = f" ({', '.join(f'{key}={value}' for key, value in extras.items())})"
        line = (
            f"{_time(record)} {record.levelname.lower()} {record.name}: "
            f"{record.getMessage()}{beside if extras else ''}"
        )
        line = _one_line(line)
        if record.exc_info:
            # Each line of it is marked, so that none can pass for a record of its own.
            for part in self.formatException(record.exc_info).splitlines():
                line += f"\n  | {_one_line(part)}"
        return line


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message, and what was put beside it."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_LINE],
            **{key: str(value)[:MAX_LINE] for key, value in _extras(record).items()},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)[-MAX_LINE:]
        return json.dumps(fields)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _one_line(text: str) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:MAX_LINE])
    return shown if len(text) <= MAX_LINE else f"{shown}…"

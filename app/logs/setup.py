"""Where all that this process says goes, whoever says it: through one formatter, to one place."""

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TextIO

from app.logs.lines import JsonLines, TextLines
from app.logs.repeats import Repeats

logger = logging.getLogger(__name__)

ACCESS = "app.web.accesslog"
"""The logger of the access log, if that is on: its lines are all wanted."""

# Their notes on each request or start-up step are not for operators.
_QUIET = ("uvicorn.access", "uvicorn.error", "httpx", "httpcore", "asyncio")
# At debug it writes the bytes that it sends: events, and passwords.
_WITHOUT_DEBUG = ("aiokafka",)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines. What cannot be written is gone: to say so would be written as well."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging names it)
        """Do nothing; logging would print the record as it is, control characters and all."""


def configure_logs(style: str, level: str) -> None:
    """Send every logger's records, warnings and lost exceptions there, as `text` or `json`."""
    lines = _Lines(sys.stderr)
    whole_faults = level == "debug"
    lines.setFormatter(
        JsonLines(whole_faults=whole_faults)
        if style == "json"
        else TextLines(whole_faults=whole_faults)
    )
    lines.addFilter(Repeats(exempt=ACCESS))
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        each = logging.getLogger(name)
        each.handlers.clear()
        each.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _WITHOUT_DEBUG:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
    logging.getLogger(ACCESS).setLevel(logging.INFO)  # its own setting turns it on and off
    logging.captureWarnings(capture=True)
    sys.excepthook = _lost
    sys.unraisablehook = _unraisable
    threading.excepthook = _lost_in_thread


def complain(problems: Iterable[str]) -> None:
    """Tell an operator at a terminal what is wrong; or the log, where machines read it."""
    handlers = logging.getLogger().handlers
    if handlers and isinstance(handlers[0].formatter, JsonLines):
        for problem in problems:
            logger.error("It cannot be done as it is configured.", extra={"problem": problem})
        return
    for problem in problems:
        print(f"sluiceway: {problem}", file=sys.stderr)


def _lost(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.error("The process ends by an exception.", exc_info=(kind, error, trace))


def _lost_in_thread(lost: threading.ExceptHookArgs) -> None:
    if lost.exc_value is not None:
        logger.error("A thread ended by an exception.", exc_info=lost.exc_value)


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
    logger.warning("An exception could not be raised.", exc_info=lost.exc_value)

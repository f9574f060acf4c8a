"""Progress on a terminal: how far a long reading is, on one line of standard error."""

import time
from collections.abc import Callable
from typing import TextIO

BETWEEN = 0.2
"""Seconds between two drawings."""

WIDTH = 30

_CLEAR = "\r\x1b[K"


class Progress:
    """Draws a bar while lines are read, or nothing where nobody looks.

    `total` is the size in bytes of what is read, None if that is not known.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        total: int | None = None,
        shown: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._total = total
        self._shown = stream.isatty() if shown is None else shown
        self._clock = clock
        self._started = clock()
        self._drawn = self._started
        self._visible = False

    def advance(self, lines: int, size: int) -> None:
        """Say that so many lines and bytes were read, of all."""
        now = self._clock()
        if not self._shown or now - self._drawn < BETWEEN:
            return
        self._drawn = now
        rate = lines / (now - self._started)
        self._stream.write(f"{_CLEAR}{self._bar(size)}{lines:,} lines, {rate:,.0f}/s")
        self._stream.flush()
        self._visible = True

    def say(self, text: str) -> None:
        """Write a line of its own, not into the bar."""
        self.clear()
        self._stream.write(f"{text}\n")

    def clear(self) -> None:
        """Take the bar away, if there is one."""
        if self._visible:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._visible = False

    def _bar(self, size: int) -> str:
        if not self._total:
            return ""
        share = min(1.0, size / self._total)
        full = round(share * WIDTH)
        return f"[{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%}  "

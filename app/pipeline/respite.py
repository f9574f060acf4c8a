"""A respite for the error stream: while it fails slowly, requests do not wait for it."""

import time
from collections.abc import Callable

SLOW = 1.0
"""Seconds of waiting for nothing, after which the next requests are spared it."""
SECONDS = 5.0


class Respite:
    """Remembers that the error stream failed slowly; then one attempt in `SECONDS` is let through.

    What fails at once keeps nobody waiting, and is tried each time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: float | None = None

    def is_over(self) -> bool:
        """Say whether error events are to be written; whoever is told so makes the attempt."""
        if self._until is None:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + SECONDS
        return True

    def note(self, *, failed: bool, seconds: float) -> None:
        """Note how an attempt ended, and after how long."""
        if not failed:
            self._until = None
        elif seconds > SLOW:
            self._until = self._clock() + SECONDS

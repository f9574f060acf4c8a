"""Repeats: the same sentence again and again is told a few times, and counted beyond."""

import logging
import time
from collections.abc import Callable

AT_MOST = 20
WINDOW = 10.0
MAX_KINDS = 500


class Repeats(logging.Filter):
    """Lets at most `at_most` lines of a kind pass in `window` seconds.

    What strangers can cause, they can cause a million times: a log must not fill a disk. The next
    line of that kind in a later window says in `held_back` how many there were. Lines that an
    operator asked for (debug, the access log: `exempt`) all pass.
    """

    def __init__(
        self,
        *,
        at_most: int = AT_MOST,
        window: float = WINDOW,
        exempt: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._at_most = at_most
        self._window = window
        self._exempt = exempt
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno <= logging.DEBUG or record.name == self._exempt:
            return True
        # What is put into a sentence does not make it another.
        kind = (record.name, record.levelno, str(record.msg)[:100])
        now = self._clock()
        seen = self._kinds.get(kind)
        if seen is None or now - seen[0] >= self._window:
            held_back = int(seen[1]) - self._at_most if seen else 0
            if held_back > 0:
                record.held_back = held_back
            self._kinds.pop(kind, None)
            if len(self._kinds) >= MAX_KINDS:
                del self._kinds[next(iter(self._kinds))]
            self._kinds[kind] = [now, 1]
            return True
        seen[1] += 1
        return seen[1] <= self._at_most

"""Suggestions: what a name that is unknown may have been meant to be."""

import time
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import islice

MAX_NAMES = 2_000
MAX_LENGTH = 100
MAX_REMEMBERED = 256
PER_SECOND = 5


class Suggestions:
    """Finds the known name that is closest; remembers the last answers.

    Comparing with 2,000 names takes 30 ms, so a flood of unknown names must not ask for each:
    beyond five new ones in a second there is no suggestion.
    """

    def __init__(
        self, names: Iterable[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._names = list(islice(names, MAX_NAMES))
        self._clock = clock
        self._answers: dict[str, str | None] = {}
        self._second = -1
        self._spent = 0

    def of(self, name: str) -> str | None:
        """Return the known name that is closest to an unknown one, None if none is close."""
        if len(name) > MAX_LENGTH:
            return None
        if name in self._answers:
            return self._answers[name]
        second = int(self._clock())
        if second != self._second:
            self._second, self._spent = second, 0
        if self._spent >= PER_SECOND:
            return None
        self._spent += 1
        if len(self._answers) >= MAX_REMEMBERED:
            self._answers.clear()
        close = get_close_matches(name, self._names, n=1)
        answer = self._answers[name] = close[0] if close else None
        return answer

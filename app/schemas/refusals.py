"""Refused schemas: they are there, but cannot be used; whom that concerns is told, now and then."""

import logging
from collections import OrderedDict
from collections.abc import Callable

from app.core.errors import SchemaUnusable

logger = logging.getLogger(__name__)

TELL_EVERY = 60.0
COUNTED = 600.0
MAX_REFUSALS = 1_000


class Refusals:
    """Remembers which schemas were refused, and when that was last told; at most 1,000."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._told: dict[str, float] = {}

    @property
    def count(self) -> int:
        """How many schemas were refused in the last ten minutes, and not had since."""
        oldest = self._clock() - COUNTED
        return sum(asked > oldest for asked in self._asked.values())

    def of(self, uri: str, error: SchemaUnusable) -> SchemaUnusable:
        """Return an equal error to be raised; once a minute it is one that is told of, and logged.

        More would tell nothing new to the owner of the stream, and fill the error stream.
        """
        now = self._clock()
        self._asked[uri] = now
        self._asked.move_to_end(uri)
        while len(self._asked) > MAX_REFUSALS:
            self._told.pop(self._asked.popitem(last=False)[0], None)
        again = SchemaUnusable(error.message, pointer=error.pointer, hint=error.hint)
        if now - self._told.get(uri, -TELL_EVERY) >= TELL_EVERY:
            self._told[uri] = now
            again.is_told = True
            logger.warning(
                "A schema cannot be used: its events are answered 503.",
                extra={"uri": uri, "problem": error.message},
            )
        return again

    def mended(self, uri: str) -> None:
        """Forget a schema that could be had."""
        if self._asked.pop(uri, None) is not None:
            self._told.pop(uri, None)

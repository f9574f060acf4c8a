"""Why schemas could not be had: remembered for a while, so that not every event asks again."""

from collections import OrderedDict
from collections.abc import Callable

from app.core.errors import EventError, SchemaNotFound, SchemaUnusable

FAILURE_TTL = 2.0


class Failures:
    """The last failures by URI, at most `size` of them.

    That there is no such schema, or that it cannot be used, is remembered for `not_found_ttl`
    seconds, anything else for 2.
    """

    def __init__(self, *, not_found_ttl: float, size: int, clock: Callable[[], float]) -> None:
        self._not_found_ttl = not_found_ttl
        self._size = size
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, EventError]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept, those that no longer count included."""
        return len(self._failed)

    def of(self, uri: str) -> EventError | None:
        """Return why a schema cannot be had at the moment, as far as is known."""
        failed = self._failed.get(uri)
        return _again(failed[1]) if failed and self._clock() < failed[0] else None

    def remember(self, uri: str, error: EventError) -> None:
        """Keep why a schema could not be had; forget the oldest beyond `size` or their time."""
        lasting = isinstance(error, SchemaNotFound | SchemaUnusable)
        ttl = self._not_found_ttl if lasting else FAILURE_TTL
        # Not the error itself: its traceback would keep whatever document it was raised about.
        self._failed[uri] = (self._clock() + ttl, _again(error))
        self._failed.move_to_end(uri)
        # The oldest come first, and what has ended is of no use to anybody.
        now = self._clock()
        while self._failed:
            ends, _ = next(iter(self._failed.values()))
            if len(self._failed) <= self._size and now <= ends:
                return
            self._failed.popitem(last=False)


def _again(error: EventError) -> EventError:
    """Return an equal error: one that was raised belongs to who caught it."""
    return type(error)(
        error.message,
        pointer=error.pointer,
        expected=error.expected,
        got=error.got,
        hint=error.hint,
    )

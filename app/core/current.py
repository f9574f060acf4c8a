"""The request that a task works for: its id, which answer, events and log lines share."""

from contextvars import ContextVar
from uuid import uuid4

from msgspec import Struct


class CurrentRequest(Struct):
    """What is known of a request beside its content.

    `id` is None until somebody needs it; `tally` counts its events by how they ended, where an
    access log asks for that. `is_handed_over` says that some of its events went to the sink, so
    that nobody can say of a request that is cut off that none is stored. `is_over` tells tasks that
    outlive the request, and still see it, that they no longer work for it.
    """

    id: str | None = None
    tally: dict[str, int] | None = None
    is_handed_over: bool = False
    is_over: bool = False

    def named(self) -> str:
        """Return its id, made up now if it has none."""
        if self.id is None:
            self.id = str(uuid4())
        return self.id


CURRENT: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)

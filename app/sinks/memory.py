"""A sink that keeps records in memory: for tests, and for trying things without leaving a trace."""

import asyncio
from collections.abc import Callable, Sequence

from app.core.errors import EventError
from app.core.events import Delivery, Record
from app.sinks.base import Health

_Answer = Callable[[Record], Delivery | EventError | None]


class MemorySink:
    """Keeps the newest `max_records` records in `records`, oldest first.

    `answer` may speak for a record: an EventError it returns is the answer, and the record is
    not kept; after None the record is kept as usual. While `hold` is not set, produce waits for it.
    """

    target = "memory"

    def __init__(
        self,
        *,
        max_records: int = 10_000,
        answer: _Answer | None = None,
        hold: asyncio.Event | None = None,
    ) -> None:
        self.records: list[Record] = []
        self.answer = answer
        self.hold = hold
        self.health = Health(ok=True)
        self._max_records = max_records
        self._taken = 0

    async def start(self) -> None:
        """Do nothing; there is nothing to open."""

    async def stop(self, grace: float) -> None:
        """Do nothing; `records` stay readable."""

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        """Keep the records; answer for each, in order. Raises nothing."""
        if self.hold:
            await self.hold.wait()
        answers = [self._take(record) for record in records]
        if len(self.records) > self._max_records:
            del self.records[: -self._max_records]
        return answers

    async def healthy(self) -> Health:
        """Return `health`, which a test may set."""
        return self.health

    def _take(self, record: Record) -> Delivery | EventError:
        answer = self.answer(record) if self.answer else None
        if isinstance(answer, EventError):
            return answer
        self.records.append(record)
        self._taken += 1
        return answer or Delivery("acked", record.topic, 0, self._taken)

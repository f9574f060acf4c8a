"""The default sink: the embedded event log. Acknowledged means committed to disk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import EventError
from app.core.events import Delivery, Record
from app.eventlog import EventLog
from app.groupwriter import MIB
from app.sinks.base import Health


class SqliteSink:
    """A sink into one SQLite file, which several processes may share.

    At most `max_pending_bytes` wait to be written, beyond which records are answered Overloaded.
    `lock_timeout` bounds the wait for other processes that write, `timeout` any wait for an answer.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_pending_bytes: int = 64 * MIB,
        lock_timeout: float = 5.0,
        timeout: float = 7.0,
    ) -> None:
        self.log = EventLog(
            path, max_pending_bytes=max_pending_bytes, lock_timeout=lock_timeout, timeout=timeout
        )
        self.target = f"sqlite {path}"
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the log; raise ConfigError if that cannot work."""
        await asyncio.to_thread(self.log.open)
        self._watch = asyncio.create_task(self.log.watch())

    async def stop(self, grace: float) -> None:
        """Commit what was taken, within `grace` seconds, and close."""
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.to_thread(self.log.close, grace)

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        """Append the records to the log; answer for each, in order, when they are committed."""
        answers = await self.log.append(records)
        return [
            Delivery("acked", record.topic, 0, answer) if isinstance(answer, int) else answer
            for record, answer in zip(records, answers, strict=True)
        ]

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest records have waited to be written."""
        return self.log.queue_time

    async def healthy(self) -> Health:
        """Say whether the last write went well, if it was a short while ago."""
        return Health(not self.log.trouble, self.log.trouble)

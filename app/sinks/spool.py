"""A sink in front of a sink: what the inner one cannot take now is kept, and sent later."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from app.core.errors import (
    EventError,
    InternalFailure,
    Overloaded,
    SinkUnavailable,
    UnknownDelivery,
)
from app.core.events import Delivery, Record
from app.sinks.base import Health, Sink
from app.sinks.spooldrain import SpoolDrain
from app.spooling.spool import Spool

# What may succeed later by itself. A topic that cannot be used is a matter for an operator, and is
# told at once.
_SPOOLED = (SinkUnavailable, Overloaded, UnknownDelivery, InternalFailure)
_PATIENCE = 0.5  # seconds
_LAST_CALL = 1.0  # seconds that a GroupWriter may take beyond its grace

logger = logging.getLogger(__name__)

Answer = Delivery | EventError


class SpoolSink:
    """Writes to `inner`, and to the spool what that cannot take now: a Delivery of `spooled`.

    Records of a stream that waits in the spool go there too, so that a sender who waits for each
    answer has its events produced in order. Several sinks may share a spool; one of them `drains`
    it. `retry` is the longest pause, in seconds, before a stream that is not taken is tried again,
    `adopt_every` the time between two looks for the files of processes that are no more.
    """

    def __init__(
        self,
        inner: Sink,
        spool: Spool,
        *,
        drains: bool = True,
        retry: float = 5.0,
        adopt_every: float = 5.0,
    ) -> None:
        self.inner = inner
        self.spool = spool
        self._drain: SpoolDrain | None = None
        if drains:
            self._drain = SpoolDrain(inner, spool, retry=retry, adopt_every=adopt_every)
        self._open = 0  # records that wait for their answer
        self._none_open = asyncio.Event()
        self._none_open.set()

    @property
    def target(self) -> str:
        """Where records go, and where they wait if they must."""
        return f"{self.inner.target}, spooled in {self.spool.folder}"

    async def start(self) -> None:
        """Open the spool, start the inner sink and begin to drain; raises ConfigError."""
        await self.spool.open()
        try:
            await self.inner.start()
        except BaseException:
            await self.spool.close(0)
            raise
        if self._drain:
            await self._drain.start()

    async def stop(self, grace: float) -> None:
        """Let the inner sink write what it has, spool what it could not, all in `grace` seconds."""
        end = asyncio.get_running_loop().time() + grace
        try:
            if self._drain:
                await self._drain.stop(grace * 0.1)
            await self._stop_inner(grace * 0.6)
            # Those whom the inner sink has just refused are spooling now.
            left = end - asyncio.get_running_loop().time()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.05, left / 2)):
                    await self._none_open.wait()
            if self._open:
                logger.error(
                    "Records were neither written nor spooled when the service ended.",
                    extra={"target": self.target, "records": self._open},
                )
        finally:
            left = end - asyncio.get_running_loop().time()
            await self.spool.close(max(0.05, left - _LAST_CALL))

    async def produce(self, records: Sequence[Record]) -> Sequence[Answer]:
        """Write or spool the records; answer for each, in order. Raises nothing."""
        self._open += len(records)
        self._none_open.clear()
        try:
            return await self._produce(records)
        finally:
            self._open -= len(records)
            if not self._open:
                self._none_open.set()

    async def healthy(self) -> Health:
        """Say whether records are taken now, be it by the spool."""
        health = await self.inner.healthy()
        if health.ok:
            return health
        if trouble := self.spool.trouble:
            return Health(ok=False, detail=f"{health.detail} {trouble}")
        waiting = self.spool.state().records
        return Health(ok=True, detail=f"{health.detail} Events are spooled ({waiting} waiting).")

    async def _stop_inner(self, grace: float) -> None:
        stopping = asyncio.create_task(self.inner.stop(grace))
        done, _ = await asyncio.wait({stopping}, timeout=grace + 0.1)
        if done:
            await stopping
        else:
            stopping.cancel()
            logger.error("The sink did not stop in time.", extra={"target": self.inner.target})

    async def _produce(self, records: Sequence[Record]) -> Sequence[Answer]:
        streams = {record.stream for record in records}
        await self.spool.ended(streams, _PATIENCE)
        # From here to the next `await` nothing changes: what is decided now holds.
        behind = {stream for stream in streams if self.spool.holds(stream)}
        if not behind:
            return await self._tried(records)
        later = [record for record in records if record.stream in behind]
        spooling = self.spool.append(later)
        if len(later) == len(records):
            return [_spooled(*pair) for pair in zip(later, await spooling, strict=True)]
        now = [record for record in records if record.stream not in behind]
        tried = iter(await self._tried(now))
        spooled = (_spooled(*pair) for pair in zip(later, await spooling, strict=True))
        return [next(spooled if record.stream in behind else tried) for record in records]

    async def _tried(self, records: Sequence[Record]) -> Sequence[Answer]:
        """Write the records, and spool those that cannot be written now."""
        answers = await self.inner.produce(records)
        failed = [at for at, answer in enumerate(answers) if isinstance(answer, _SPOOLED)]
        if not failed:
            return answers
        later = [records[at] for at in failed]
        kept = list(answers)
        for at, record, answer in zip(failed, later, await self.spool.append(later), strict=True):
            # A spool that has not taken it changes nothing; one that may have taken it does.
            if isinstance(answer, int | UnknownDelivery):
                kept[at] = _spooled(record, answer)
        return kept


def _spooled(record: Record, answer: int | EventError) -> Answer:
    if isinstance(answer, int):
        return Delivery("spooled", record.topic, -1, answer)
    return answer

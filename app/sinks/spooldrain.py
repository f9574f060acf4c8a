"""Draining a spool: what waits in it is produced, stream by stream, each in its order."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from app.core.errors import IntakeFailure, InvalidEvent
from app.core.events import Delivery
from app.sinks.base import Sink
from app.spooling.row import Row
from app.spooling.spool import Chunk, Spool
from app.spooling.table import Refused

_FIRST_PAUSE = 0.25  # seconds
_DOUBLINGS = 10

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Lane:
    """How it goes with one stream."""

    limit: int
    tried_at: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    successes: int = 0


class SpoolDrain:
    """Produces what waits in the spool to a sink while that is healthy; started and stopped once.

    Each stream has at most one chunk under way, of `chunk_records` and `chunk_bytes`, and at most
    `streams_at_once` have one. A stream whose records are not taken rests, for longer each time up
    to `retry` seconds, and is tried with smaller chunks; the others go on.
    """

    def __init__(
        self,
        inner: Sink,
        spool: Spool,
        *,
        retry: float = 5.0,
        adopt_every: float = 5.0,
        chunk_records: int = 500,
        chunk_bytes: int = 1024 * 1024,
        streams_at_once: int = 8,
    ) -> None:
        self._inner = inner
        self._spool = spool
        self._retry = retry
        self._adopt_every = adopt_every
        self._chunk_records = chunk_records
        self._chunk_bytes = chunk_bytes
        self._streams_at_once = streams_at_once
        self._lanes: dict[str, _Lane] = {}
        self._chunks: dict[str, asyncio.Task[None]] = {}
        self._complained: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._settling: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        """Drain from now on."""
        await self._adopt_now()
        self._tasks = [asyncio.create_task(self._drain()), asyncio.create_task(self._adopt())]

    async def stop(self, grace: float) -> None:
        """Begin nothing more; wait `grace` seconds for what is under way, and give it up."""
        self._stopping = True
        await _ended(self._tasks)
        if self._chunks:
            await asyncio.wait(self._chunks.values(), timeout=grace)
        await _ended(list(self._chunks.values()))
        if self._settling:
            await asyncio.wait(self._settling, timeout=grace)
        await _ended(list(self._settling))

    async def _adopt(self) -> None:
        while True:
            await asyncio.sleep(self._adopt_every)
            await self._adopt_now()

    async def _adopt_now(self) -> None:
        try:
            await self._spool.adopt()
        except (IntakeFailure, OSError):
            logger.warning("A file of the spool cannot be taken over now.", exc_info=True)

    async def _drain(self) -> None:
        failures = 0
        while True:
            self._spool.changed.clear()
            if not self._spool.streams:
                await self._spool.changed.wait()
            elif await self._is_healthy():
                failures = 0
                pause = self._begin_chunks()
                with suppress(TimeoutError):
                    # `wait_for` may swallow a cancellation (cpython#86296, before 3.12).
                    async with asyncio.timeout(pause):
                        await self._spool.changed.wait()
            else:
                await asyncio.sleep(self._pause(failures))  # whatever is spooled meanwhile
                failures += 1

    async def _is_healthy(self) -> bool:
        try:
            return (await self._inner.healthy()).ok
        except Exception:
            logger.exception("The sink behind the spool cannot say how it is.")
            return False

    def _begin_chunks(self) -> float:
        """Begin what may begin now; return in how many seconds to look again."""
        now = asyncio.get_running_loop().time()
        waiting = self._spool.streams
        self._lanes = {
            stream: self._lanes.get(stream) or _Lane(self._chunk_records)
            for stream in {*waiting, *self._chunks}
        }
        resting = []
        # Who was tried longest ago is first: streams that hang shall not use up all places.
        for stream in sorted(waiting, key=lambda stream: self._lanes[stream].tried_at):
            lane = self._lanes[stream]
            if stream in self._chunks:
                continue
            if lane.not_before > now:
                resting.append(lane.not_before - now)
            elif len(self._chunks) < self._streams_at_once:
                lane.tried_at = now
                task = asyncio.create_task(self._chunk(stream, lane))
                self._chunks[stream] = task
        return min([self._retry, *resting])

    async def _chunk(self, stream: str, lane: _Lane) -> None:
        """Produce the oldest records of a stream; raises nothing."""
        went_well = False
        # After a chunk that went well, one that takes all the rest will soon have emptied the
        # stream: who comes now waits for that.
        is_end = lane.successes > 0 and self._spool.waiting(stream) <= lane.limit
        try:
            with self._spool.ending(stream) if is_end else nullcontext():
                went_well = await self._produced(stream, lane)
        except IntakeFailure as failure:
            logger.warning(
                "The spool cannot be drained now.",
                extra={"stream": stream, "reason": failure.reason, "detail": str(failure)},
            )
        except Exception:
            logger.exception("The spool cannot be drained now.", extra={"stream": stream})
        finally:
            del self._chunks[stream]
            self._note(lane, went_well=went_well)
            self._spool.changed.set()

    async def _produced(self, stream: str, lane: _Lane) -> bool:
        """Produce a chunk and settle it; say whether all of it is settled."""
        chunk = await self._spool.read(stream, max_records=lane.limit, max_bytes=self._chunk_bytes)
        if chunk is None:
            return True
        answers = await self._inner.produce([row.record for row in chunk.rows])
        delivered = []
        refused = []
        for row, answer in zip(chunk.rows, answers, strict=True):
            if isinstance(answer, Delivery):
                delivered.append(row)
            elif isinstance(answer, InvalidEvent):
                refused.append(Refused(row, answer.reason, str(answer)))
        if refused:
            self._complain(stream, refused)
        if delivered or refused:
            task = asyncio.create_task(self._settle(chunk, delivered, refused))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
            await asyncio.shield(task)
        return len(delivered) + len(refused) == len(chunk.rows)

    async def _settle(self, chunk: Chunk, delivered: Sequence[Row], refused: list[Refused]) -> None:
        """Tell the spool, again and again if need be: else all of them would be produced again."""
        failures = 0
        while True:
            try:
                await self._spool.settle(chunk, delivered, refused)
            except IntakeFailure as failure:
                if self._stopping:
                    raise
                if not failures:
                    logger.warning(
                        "What was produced cannot be deleted from the spool now.",
                        extra={"stream": chunk.stream, "detail": str(failure)},
                    )
                await asyncio.sleep(self._pause(failures))
                failures += 1
            else:
                return

    def _complain(self, stream: str, refused: Sequence[Refused]) -> None:
        if stream not in self._complained:
            self._complained.add(stream)
            logger.error(
                "Spooled records are refused for good. They are kept in the spool, in the table "
                "`refused`. This is said once for each stream.",
                extra={
                    "stream": stream,
                    "reason": refused[0].reason,
                    "detail": refused[0].sentence,
                },
            )

    def _note(self, lane: _Lane, *, went_well: bool) -> None:
        if went_well:
            lane.successes += 1
            lane.failures = 0
            lane.limit = min(self._chunk_records, lane.limit * 2)
        else:
            now = asyncio.get_running_loop().time()
            lane.not_before = now + self._pause(lane.failures)
            lane.successes = 0
            lane.failures += 1
            lane.limit = max(1, lane.limit // 2)

    def _pause(self, failures: int) -> float:
        return min(self._retry, _FIRST_PAUSE * 2.0 ** min(failures, _DOUBLINGS))


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

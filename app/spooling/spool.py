"""The spool: records that Kafka cannot take now, kept safely on this node until it can.

Every process has a file of its own, and takes over the files of processes that are no more. What
was told as spooled is never dropped for its age or for lack of room: new records are refused
instead, which their senders are told.
"""

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import IntakeFailure
from app.core.events import Record
from app.groupwriter import MIB, GroupWriter
from app.spooling.file import SpoolFile
from app.spooling.folder import SpoolFolder
from app.spooling.limits import SpoolLimits
from app.spooling.row import Row
from app.spooling.table import Refused

REASONS = ("refused", "corrupt", "lost")
"""Why a record in the spool will not be produced."""
_DAY = 86400

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How the spool of this process stands.

    `dropped` counts by reason what will not be produced: `refused` by the sink, `corrupt` on the
    disk (both are kept in the file), and `lost`, an estimate. It and the totals count from the
    start of this process.
    """

    records: int
    bytes: int
    oldest_age_seconds: float
    dropped: Mapping[str, int]
    adopted: int
    spooled_total: int
    drained_total: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """The oldest rows of a stream, from one file."""

    stream: str
    rows: Sequence[Row]
    file: SpoolFile


class Spool:
    """Opened by each who uses it, and closed when the last of them does; all in one event loop.

    `destination` says where records belong: files of others in the folder are left alone.
    `max_bytes`, `max_age` and `min_free` are those of SpoolLimits; `timeout` bounds the wait for an
    answer. `changed` is set when there may be more to drain.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        destination: str,
        max_bytes: int = 1024 * MIB,
        max_age: float = 7 * _DAY,
        min_free: int = 64 * MIB,
        timeout: float = 3.0,
        clock: Callable[[], float] = time.time,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.folder = Path(folder)
        self.changed = asyncio.Event()
        self._folder = SpoolFolder(
            self.folder, destination=destination, factory=factory, clock=clock
        )
        self._limits = SpoolLimits(
            self.folder, max_bytes=max_bytes, max_age=max_age, min_free=min_free, clock=clock
        )
        self._clock = clock
        self._writer = GroupWriter[int](
            self._write,
            name=f"The spool {folder}",
            max_bytes=64 * MIB,
            max_records=100_000,
            timeout=timeout,
        )
        self._users = 0
        self._opening = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._own: SpoolFile | None = None
        self._adopted: tuple[SpoolFile, ...] = ()
        self._coming: Counter[str] = Counter()  # records on their way into the file
        self._ending: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Sequence[int | IntakeFailure]]] = set()
        self._spooled = 0
        self._drained = 0
        self._adoptions = 0
        self._dropped: Counter[str] = Counter()  # of files that are gone

    async def open(self) -> None:
        """Take a file; raises ConfigError if none can be had."""
        async with self._opening:
            if not self._users:
                self._own = await asyncio.to_thread(self._folder.take)
                self._writer.start()
                self._watch = asyncio.create_task(self._writer.watch())
            self._users += 1

    async def close(self, grace: float) -> None:
        """Write what was handed in, within `grace` seconds; what then waits stays on the disk."""
        async with self._opening:
            self._users -= 1
            if self._users or self._own is None or self._watch is None:
                return
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            ended = await asyncio.to_thread(self._writer.close, grace)
            await asyncio.gather(*self._tasks)
            if ended:  # else it still writes, and the end of the process lets go of the file
                for file in self._files:
                    await asyncio.to_thread(file.close)

    def holds(self, stream: str) -> bool:
        """Say whether records of a stream wait here, or are on their way here."""
        return stream in self._coming or any(stream in file.tallies for file in self._files)

    def append(self, records: Sequence[Record]) -> Awaitable[Sequence[int | IntakeFailure]]:
        """Return the id of each record once it is on the disk. Raises nothing.

        From this call on the spool holds their streams. A cancelled caller's records are written
        all the same. An UnknownDelivery means that the record may be kept, every other failure
        that it is not.
        """
        self._coming.update(record.stream for record in records)
        task = asyncio.create_task(self._appended(records))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return asyncio.shield(task)

    @property
    def streams(self) -> list[str]:
        """The streams that have records here."""
        return list({stream for file in self._files for stream in file.tallies})

    def waiting(self, stream: str) -> int:
        """Return how many records of a stream wait."""
        tallies = (file.tallies.get(stream) for file in self._files)
        return sum(tally.records for tally in tallies if tally)

    async def read(self, stream: str, *, max_records: int, max_bytes: int) -> Chunk | None:
        """Return the oldest records of a stream; None if none wait. Raises IntakeFailure."""
        for file in self._files:
            if stream in file.tallies:
                rows = await asyncio.to_thread(
                    file.read, stream, max_records=max_records, max_bytes=max_bytes
                )
                if rows:
                    return Chunk(stream, rows, file)
        return None

    async def settle(
        self, chunk: Chunk, delivered: Sequence[Row], refused: Sequence[Refused] = ()
    ) -> None:
        """Forget what was delivered, and keep apart what was refused. Raises IntakeFailure."""
        await asyncio.to_thread(chunk.file.settle, chunk.stream, delivered, refused)
        self._drained += len(delivered)

    async def adopt(self) -> None:
        """Take over the files of processes that are no more, and leave those that are empty."""
        async with self._opening:
            if self._own is None or not self._users:
                return
            taken = await asyncio.to_thread(self._folder.adopt, self._own)
            self._adopted += tuple(taken)
            full = [file for file in taken if file.waiting]
            await asyncio.to_thread(self._leave_empty, self._own)
        self._adoptions += len(full)
        for file in full:
            logger.warning(
                "The spool of a process that is no more was taken over.",
                extra={"file": str(file.path), "records": file.waiting},
            )
        if full:
            self.changed.set()

    @contextmanager
    def ending(self, stream: str) -> Iterator[None]:
        """While this lasts, `ended` waits: the last records of a stream are being produced."""
        event = self._ending[stream] = asyncio.Event()
        try:
            yield
        finally:
            del self._ending[stream]
            event.set()

    async def ended(self, streams: set[str], patience: float) -> None:
        """Wait until no stream of these is at its end, but no longer than `patience` seconds.

        Else a busy stream would never leave the spool: there is always one more record in it.
        """
        waits = [self._ending[stream].wait() for stream in streams & self._ending.keys()]
        if waits:
            tasks = [asyncio.create_task(wait) for wait in waits]
            try:
                await asyncio.wait(tasks, timeout=patience)
            finally:
                for task in tasks:
                    task.cancel()

    @property
    def trouble(self) -> str:
        """What keeps records from being taken, as far as is known; else empty."""
        return (self._own and self._limits.full(self._own)) or self._writer.trouble

    def state(self) -> SpoolState:
        """Return how the spool stands, from memory."""
        tallies = [tally for file in self._files for tally in file.tallies.values()]
        oldest = min((tally.oldest_ms for tally in tallies), default=0)
        dropped = [self._dropped, *(file.dropped for file in self._files)]
        return SpoolState(
            records=sum(tally.records for tally in tallies),
            bytes=sum(tally.size for tally in tallies),
            oldest_age_seconds=max(0.0, self._clock() - oldest / 1000) if tallies else 0.0,
            dropped={reason: sum(each[reason] for each in dropped) for reason in REASONS},
            adopted=self._adoptions,
            spooled_total=self._spooled,
            drained_total=self._drained,
        )

    @property
    def _files(self) -> tuple[SpoolFile, ...]:
        """Every file of this process, in the order in which a stream's records were taken."""
        return (*self._adopted, self._own) if self._own else ()

    async def _appended(self, records: Sequence[Record]) -> Sequence[int | IntakeFailure]:
        try:
            return await self._writer.add(records)
        finally:
            self._coming.subtract(record.stream for record in records)
            self._coming = +self._coming
            self.changed.set()

    def _write(self, records: Sequence[Record]) -> Sequence[int | IntakeFailure]:
        """Write what there is room for; in the writer's thread."""
        assert self._own is not None
        refusals = self._limits.refusals(self._files, self._own, records)
        taken = [record for record, no in zip(records, refusals, strict=True) if no is None]
        ids = iter(self._own.append(taken) if taken else ())
        self._spooled += len(taken)
        return [next(ids) if no is None else no for no in refusals]

    def _leave_empty(self, own: SpoolFile) -> None:
        """Remove adopted files that nothing waits in any more."""
        for file in self._adopted:
            if not file.waiting:
                file.give_refused(own)
                self._adopted = tuple(each for each in self._adopted if each is not file)
                self._dropped += file.dropped
                file.close(remove_it=True)

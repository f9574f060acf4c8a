"""One thread that writes in groups what many tasks hand in, and answers each of them."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.errors import (
    IntakeFailure,
    InternalFailure,
    Overloaded,
    SinkUnavailable,
    UnknownDelivery,
)
from app.core.events import Record

Answer = TypeVar("Answer")

MIB = 1024 * 1024

_GROUP_RECORDS = 4096
_GROUP_BYTES = 8 * MIB
_RECORD_BYTES = 512  # what a waiting record costs besides its value, roughly
_LAST_CALL = 1.0  # seconds that a write in progress has left when the grace is over
_RECENT = 10.0  # seconds; an older failure says nothing about now, and somebody must try again

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Batch:
    records: Sequence[Record]
    size: int
    since: float
    told: "asyncio.Future[Sequence[Any]]"


class GroupWriter(Generic[Answer]):
    """Gathers the batches that wait and hands them to `write` as one group; remembers what waits.

    `write(records)` runs in the one thread, never twice at the same time. It returns an answer or
    an IntakeFailure for each record, in order, or raises an IntakeFailure that is true of them all.
    While it runs the next group gathers: the slower the disk, the larger the groups.

    What waits is bounded by `max_bytes` and `max_records`; a batch that alone exceeds them is taken
    when nothing else waits. Whoever has waited for `timeout` seconds is answered (see `watch`).
    """

    def __init__(
        self,
        write: Callable[[Sequence[Record]], Sequence[Answer | IntakeFailure]],
        *,
        name: str,
        max_bytes: int,
        max_records: int,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.out_of_time = threading.Event()  # set when a `write` that waits must give up
        self._write = write
        self._name = name
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._timeout = timeout
        self._clock = clock
        self._thread = threading.Thread(target=self._run, name=f"writer of {name}", daemon=True)
        self._lock = threading.Lock()  # guards everything below
        self._changed = threading.Condition(self._lock)
        self._waiting: deque[_Batch] = deque()
        self._writing: list[_Batch] = []
        self._bytes = 0
        self._records = 0
        self._idle = False
        self._open = False
        self._trouble: tuple[float, str] | None = None

    def start(self) -> None:
        """Take batches from now on."""
        self._open = True
        self._thread.start()

    async def add(self, records: Sequence[Record]) -> Sequence[Answer | IntakeFailure]:
        """Return an answer for each record, in order, once they are written. Raises nothing.

        A cancelled caller's records are written all the same.
        """
        if not records:
            return []
        size = 0
        for record in records:
            size += _RECORD_BYTES + len(record.value)
        told = asyncio.get_running_loop().create_future()
        batch = _Batch(records, size, self._clock(), told)
        with self._lock:
            refusal = self._refusal(batch)
            if refusal is None:
                self._waiting.append(batch)
                self._bytes += size
                self._records += len(records)
                if self._idle:
                    self._changed.notify()
        if refusal:
            return [refusal] * len(records)
        answers: Sequence[Answer | IntakeFailure] = await told
        return answers

    async def watch(self) -> None:
        """Call `expire` again and again; runs until cancelled, by whoever started the writer."""
        while True:
            await asyncio.sleep(self._timeout / 8)
            self.expire()

    def expire(self) -> None:
        """Answer those who have waited too long: what is not being written yet never will be."""
        horizon = self._clock() - self._timeout
        with self._lock:
            late = []
            while self._waiting and self._waiting[0].since <= horizon:
                late.append(self._waiting.popleft())
            self._release(late)
            stuck = [batch for batch in self._writing if batch.since <= horizon]
        waited = f"after {self._timeout:g} s"
        _tell_all(late, SinkUnavailable(f"{self._name} had not begun to write it {waited}."))
        _tell_all(stuck, UnknownDelivery(f"{self._name} has not confirmed it {waited}."))

    def close(self, grace: float) -> bool:
        """Write what waits in `grace` seconds, refuse the rest; say whether the thread ended."""
        with self._changed:
            was_open, self._open = self._open, False
            self._changed.notify()
        if not was_open:
            return not self._thread.is_alive()
        self._thread.join(grace)
        if self._thread.is_alive():
            self.out_of_time.set()
            with self._lock:
                unwritten = list(self._waiting)
                self._waiting.clear()
                self._release(unwritten)
            _tell_all(unwritten, SinkUnavailable(f"{self._name} was closed before it was written."))
            self._thread.join(_LAST_CALL)
        with self._lock:
            unconfirmed = list(self._writing)
        _tell_all(unconfirmed, UnknownDelivery(f"{self._name} was closed while writing it."))
        return not self._thread.is_alive()

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest batch has waited to be written; 0 if none waits."""
        with self._lock:
            return self._clock() - self._waiting[0].since if self._waiting else 0.0

    @property
    def trouble(self) -> str:
        """What keeps records from being written, as far as the last write tells; else empty."""
        if not self._open:
            return f"{self._name} is closed."
        if not self._thread.is_alive():
            return f"The thread that writes to {self._name} has died; restart the service."
        if self._trouble and self._clock() - self._trouble[0] < _RECENT:
            return self._trouble[1]
        return ""

    def _refusal(self, batch: _Batch) -> IntakeFailure | None:
        if not self._open:
            return SinkUnavailable(f"{self._name} is closed.")
        if not self._records or (
            self._bytes + batch.size <= self._max_bytes
            and self._records + len(batch.records) <= self._max_records
        ):
            return None
        return Overloaded(
            f"{self._records} events wait for {self._name} already.",
            hint="Send it again a little later.",
        )

    def _run(self) -> None:
        while group := self._next_group():
            records = [record for batch in group for record in batch.records]
            answers = self._written(records)
            told = []
            at = 0
            for batch in group:
                end = at + len(batch.records)
                told.append((batch, answers[at:end]))
                at = end
            with self._lock:
                self._writing = []
                self._release(group)
            _tell(told)

    def _next_group(self) -> list[_Batch]:
        group: list[_Batch] = []
        size = count = 0
        with self._changed:
            while not self._waiting:
                if not self._open:
                    return []
                self._idle = True
                self._changed.wait()
                self._idle = False
            while self._waiting:
                size += self._waiting[0].size
                count += len(self._waiting[0].records)
                if group and (size > _GROUP_BYTES or count > _GROUP_RECORDS):
                    break
                group.append(self._waiting.popleft())
            self._writing = group
        return group

    def _written(self, records: Sequence[Record]) -> Sequence[Answer | IntakeFailure]:
        failure: IntakeFailure
        try:
            answers = self._write(records)
        except IntakeFailure as its_failure:
            failure = its_failure
            if self._trouble is None:
                logger.error("Events cannot be written.", extra=self._facts(failure))  # noqa: TRY400 (the sentence says all; a full disk is no defect)
        except Exception:
            failure = InternalFailure(f"{self._name} failed in an unforeseen way; see the log.")
            logger.exception("Events cannot be written.", extra=self._facts(failure))
        else:
            if self._trouble is not None:
                logger.warning("Events can be written again.", extra={"target": self._name})
                self._trouble = None
            return answers
        self._trouble = (self._clock(), str(failure))
        return [failure] * len(records)

    def _facts(self, failure: IntakeFailure) -> dict[str, str]:
        return {"target": self._name, "reason": failure.reason, "detail": str(failure)}

    def _release(self, batches: Iterable[_Batch]) -> None:
        for batch in batches:
            self._bytes -= batch.size
            self._records -= len(batch.records)


def _tell_all(batches: Sequence[_Batch], failure: IntakeFailure) -> None:
    _tell([(batch, [failure] * len(batch.records)) for batch in batches])


def _tell(answered: Sequence[tuple[_Batch, Sequence[Any]]]) -> None:
    """Hand answers to their event loops, each of which is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Batch, Sequence[Any]]]] = {}
    for batch, answers in answered:
        by_loop.setdefault(batch.told.get_loop(), []).append((batch, answers))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, pairs)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            logger.debug("An event loop was closed before its events were written.")


def _settle(pairs: Sequence[tuple[_Batch, Sequence[Any]]]) -> None:
    for batch, answers in pairs:
        if (
            not batch.told.done()
        ):  # its caller was cancelled, or has been told that it took too long
            batch.told.set_result(answers)

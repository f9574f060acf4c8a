"""What waits for Kafka: records in lanes, one lane per partition, bounded in bytes and number."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from msgspec import Struct

from app.core.errors import EventError, Overloaded, SinkUnavailable, UnknownDelivery
from app.core.events import Delivery, Record

Answer = Delivery | EventError

RECORD_BYTES = 120
"""What a record takes in a batch besides its key and value, roughly: headers and framing."""


class Call:
    """The answers of one call of `produce`, which end it when the last one is there."""

    __slots__ = ("answers", "missing", "told")

    def __init__(self, count: int) -> None:
        self.answers: list[Answer | None] = [None] * count
        self.missing = count
        self.told: asyncio.Future[Sequence[Answer]] = asyncio.get_running_loop().create_future()

    def tell(self, position: int, answer: Answer) -> None:
        """Answer for one record; the first answer counts."""
        if self.answers[position] is not None:
            return
        self.answers[position] = answer
        self.missing -= 1
        if not self.missing and not self.told.done():  # its caller may have gone
            self.told.set_result(cast("list[Answer]", self.answers))


class Entry(Struct, eq=False):
    """A record on its way, whom to tell, and by when; `timestamp_ms` is what Kafka is given."""

    record: Record
    call: Call
    position: int
    size: int
    timestamp_ms: int
    deadline: float
    told: bool = False

    def tell(self, answer: Answer) -> None:
        if not self.told:
            self.told = True
            self.call.tell(self.position, answer)


@dataclass(frozen=True, slots=True)
class Identity:
    """A producer id that a broker gave out; with a sequence number it marks each batch."""

    producer_id: int = -1
    epoch: int = -1


ANONYMOUS = Identity()


@dataclass(slots=True, eq=False)
class Batch:
    """Records that are sent, and sent again, as one.

    `unclear` says that an earlier attempt may have been stored. With an identity the batch keeps
    its sequence number for all attempts, by which a broker recognises it.
    """

    entries: list[Entry]
    identity: Identity | None = None
    sequence: int = -1
    data: bytes | None = None
    unclear: bool = False
    attempts: int = 0

    @property
    def awaited(self) -> bool:
        """Whether anybody still waits to be told."""
        return not all(entry.told for entry in self.entries)


@dataclass(slots=True, eq=False)
class Lane:
    """One partition's records, in order: `again` goes before `queue`, one batch at a time."""

    topic: str
    partition: int
    queue: deque[Entry] = field(default_factory=deque)
    queued_bytes: int = 0
    again: deque[Batch] = field(default_factory=deque)
    in_flight: Batch | None = None
    sent_at: float = 0.0
    ready_at: float = 0.0
    identity: Identity | None = None
    sequence: int = 0
    last_offset: int = -1
    failures: int = 0

    @property
    def idle(self) -> bool:
        return not self.queue and not self.again and self.in_flight is None


class Accumulator:
    """Holds what was admitted until it is stored or given up; never more than its bounds.

    A call that alone exceeds the bounds is admitted when nothing else waits. `linger` and all times
    are in seconds of the event loop's clock.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        max_records: int,
        batch_bytes: int,
        linger: float,
        timeout: float,
    ) -> None:
        self.timeout = timeout
        self.bytes = 0
        self.records = 0
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._batch_bytes = batch_bytes
        self._linger = linger
        self._lanes: dict[tuple[str, int], Lane] = {}
        self.active: dict[Lane, None] = {}
        """The lanes that hold anything, in the order in which they became active."""

    def refusal(self, count: int, size: int) -> Overloaded | None:
        """Say why that much cannot be admitted now, None if it can."""
        if not self.records:
            return None
        if self.bytes + size <= self._max_bytes and self.records + count <= self._max_records:
            return None
        return Overloaded(
            f"{self.records:,} events ({self.bytes:,} bytes) wait for Kafka already; "
            "there is no room for more.",
            hint="Send it again after a pause.",
        )

    def lane(self, topic: str, partition: int) -> Lane:
        """Return the lane of a partition."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(topic, partition)
        return lane

    def add(self, lane: Lane, entries: Sequence[Entry], size: int, now: float) -> bool:
        """Queue records of so many bytes in all, some at least.

        Say whether the lane has something new to send at once or after a while. It lingers after
        its first record, so that more can join it in one batch.
        """
        starts = not lane.queue
        if lane.idle:
            self.active[lane] = None
            lane.ready_at = max(lane.ready_at, now + self._linger)
        lane.queue.extend(entries)
        lane.queued_bytes += size
        self.bytes += size
        self.records += len(entries)
        if lane.queued_bytes >= self._batch_bytes and not lane.failures:
            full = lane.ready_at > now
            lane.ready_at = min(lane.ready_at, now)
            return starts or full
        return starts

    def take(self, lane: Lane, now: float) -> Batch:
        """Move the next batch of a lane into flight; it must have one."""
        if lane.again:
            batch = lane.again.popleft()
        else:
            entries: list[Entry] = []
            size = 0
            while lane.queue and (not entries or size + lane.queue[0].size <= self._batch_bytes):
                entry = lane.queue.popleft()
                size += entry.size
                entries.append(entry)
            lane.queued_bytes -= size
            batch = Batch(entries)
        lane.in_flight = batch
        lane.sent_at = now
        return batch

    def next_size(self, lane: Lane) -> int:
        """Return about how many bytes the next batch of a lane has."""
        if lane.again:
            return sum(entry.size for entry in lane.again[0].entries)
        return min(lane.queued_bytes, max(self._batch_bytes, lane.queue[0].size))

    def finished(self, lane: Lane, batch: Batch) -> None:
        """Let go of a batch that is stored or given up."""
        for entry in batch.entries:
            self.bytes -= entry.size
        self.records -= len(batch.entries)
        self._landed(lane, batch)

    def put_back(self, lane: Lane, *batches: Batch, instead_of: Batch, ready_at: float) -> None:
        """Send batches again, before anything else of their lane, in place of one in flight."""
        if lane.in_flight is instead_of:
            lane.in_flight = None
        lane.again.extendleft(reversed(batches))
        lane.ready_at = ready_at

    def expire(self, now: float) -> list[tuple[Lane, Batch]]:
        """Tell those whose time is over; return the batches in doubt that were given up."""
        abandoned = []
        for lane in list(self.active):
            while lane.queue and lane.queue[0].deadline <= now:
                self._drop_first(lane, self._late())
            for batch in [*lane.again]:
                self._tell_late(batch, now, in_doubt=batch.unclear)
                if not batch.awaited:
                    lane.again.remove(batch)
                    self.finished(lane, batch)
                    if batch.unclear:
                        abandoned.append((lane, batch))
            if lane.in_flight:
                self._tell_late(lane.in_flight, now, in_doubt=True)
            self._settle(lane)
        return abandoned

    def refuse_unsent(self, failure: EventError, topic: str | None = None) -> None:
        """Answer with a failure what was never sent, of one topic or of all."""
        for lane in list(self.active):
            if topic is not None and lane.topic != topic:
                continue
            while lane.queue:
                self._drop_first(lane, failure)
            for batch in [*lane.again]:
                if not batch.unclear:
                    for entry in batch.entries:
                        entry.tell(failure)
                    lane.again.remove(batch)
                    self.finished(lane, batch)
            self._settle(lane)

    def give_up(self, unsent: EventError, in_doubt: EventError) -> None:
        """Answer everything that is still here."""
        self.refuse_unsent(unsent)
        for lane in list(self.active):
            for batch in [*lane.again, *([lane.in_flight] if lane.in_flight else [])]:
                for entry in batch.entries:
                    entry.tell(in_doubt)

    def in_doubt(self) -> UnknownDelivery:
        """What is told about a record that was sent and has no answer."""
        return UnknownDelivery(
            "Kafka had not confirmed it when the service stopped: it may or may not be stored.",
            hint="Sending it again is safe where consumers drop repeated meta.id.",
        )

    def _late(self) -> SinkUnavailable:
        return SinkUnavailable(
            f"Kafka did not take it within {self.timeout:g} s; it is not stored."
        )

    def _tell_late(self, batch: Batch, now: float, *, in_doubt: bool) -> None:
        if batch.entries[0].deadline > now and batch.entries[-1].deadline > now:
            return
        for entry in batch.entries:
            if entry.deadline <= now and not entry.told:
                entry.tell(
                    UnknownDelivery(
                        f"Kafka has not confirmed it within {self.timeout:g} s: "
                        "it may or may not be stored.",
                        hint="Sending it again is safe where consumers drop repeated meta.id.",
                    )
                    if in_doubt
                    else self._late()
                )

    def _drop_first(self, lane: Lane, failure: EventError) -> None:
        entry = lane.queue.popleft()
        lane.queued_bytes -= entry.size
        self.bytes -= entry.size
        self.records -= 1
        entry.tell(failure)

    def _landed(self, lane: Lane, batch: Batch) -> None:
        if lane.in_flight is batch:
            lane.in_flight = None
        self._settle(lane)

    def _settle(self, lane: Lane) -> None:
        if lane.idle:
            self.active.pop(lane, None)

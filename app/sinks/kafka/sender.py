"""Sends what is ready in the lanes to the brokers that lead them, and acts on what they answer."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiokafka.protocol.produce import ProduceRequest

from app.core.errors import EventError, EventTooLarge, RecordRefused, TopicUnavailable
from app.core.events import Delivery
from app.sinks.kafka.accumulator import ANONYMOUS, Accumulator, Batch, Entry, Lane
from app.sinks.kafka.batches import encoded, halves, without
from app.sinks.kafka.broker import Access, Broker, BrokerUnreachable
from app.sinks.kafka.identities import Identities
from app.sinks.kafka.metadata import NO_LEADER, Address, Metadata
from app.sinks.kafka.verdicts import Verdict, name_of, verdict_of

logger = logging.getLogger(__name__)

MAX_IN_FLIGHT = 5
"""Requests that one broker may have unanswered."""
_BUSY = 0.005  # seconds for which batches may be built while everything else waits
_NO_LEADER_PAUSE = 0.1
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_LONGEST_PAUSE_FOR_LEADER = 0.2  # an election takes a moment, and then all is well
_FAULTS = 5  # the place of record_errors in a partition's part of a produce response
_ANSWER_MARGIN = 0.5  # of the request's time, for its answer to arrive


class Watch(Protocol):
    """Told what producing does, for metrics."""

    def answered(self, seconds: float, batches: int, records: int, size: int) -> None:
        """Note that a broker answered a request."""
        ...

    def retried(self, reason: str) -> None:
        """Note that a batch has to be sent again."""
        ...


class Sender:
    """The sending of one generation. `refresh` is called when metadata turns out to be stale."""

    def __init__(
        self,
        *,
        accumulator: Accumulator,
        metadata: Metadata,
        identities: Identities,
        access: Access,
        acks: int,
        compression: int,
        max_request_bytes: int,
        watch: Watch,
        refresh: Callable[[], None],
    ) -> None:
        self.answered_at = float("-inf")
        self._accumulator = accumulator
        self._metadata = metadata
        self._identities = identities
        self._access = access
        self._acks = acks
        self._compression = compression
        self._max_request_bytes = max_request_bytes
        self._watch = watch
        self._refresh = refresh
        self._brokers: dict[int, Broker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again for what is ready."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._woken.clear()
            pause = self._send_ready(time.monotonic())
            await asyncio.sleep(0)  # whatever it finds, everything else gets its turn
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def close(self) -> None:
        """Disconnect from all brokers; what was under way goes back to its lane."""
        await asyncio.gather(*(broker.close() for broker in self._brokers.values()))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _send_ready(self, now: float) -> float | None:
        """Start requests for what is ready; return the seconds until more may be, None if never."""
        look_at = float("inf")
        ready: dict[int, list[Lane]] = {}
        for lane in self._accumulator.active:
            if lane.in_flight is not None:
                continue
            if lane.ready_at > now:
                look_at = min(look_at, lane.ready_at)
                continue
            leader = self._leader_of(lane)
            if leader is None:
                lane.ready_at = now + _NO_LEADER_PAUSE
                look_at = min(look_at, lane.ready_at)
                self._refresh()
                continue
            ready.setdefault(leader, []).append(lane)
        for node_id, lanes in ready.items():
            broker = self._broker(node_id)
            if not broker.connected:
                look_at = min(look_at, broker.connect_soon())
                continue
            if broker.quiet_until > now:
                look_at = min(look_at, broker.quiet_until)
                continue
            for group in self._requests_of(lanes):
                if broker.in_flight >= MAX_IN_FLIGHT:
                    break  # its answer wakes us
                self._start(broker, group, now)
        return None if look_at == float("inf") else max(0.0, look_at - now)

    def _leader_of(self, lane: Lane) -> int | None:
        leaders = self._metadata.partitions(lane.topic)
        if leaders is None or lane.partition >= len(leaders):
            return None
        leader = leaders[lane.partition]
        return None if leader == NO_LEADER or leader not in self._metadata.brokers else leader

    def _broker(self, node_id: int) -> Broker:
        address: Address = self._metadata.brokers[node_id]
        broker = self._brokers.get(node_id)
        if broker is None or broker.address != address:
            if broker is not None:
                self._keep(asyncio.create_task(broker.close()))
            broker = self._brokers[node_id] = Broker(node_id, address, self._access, self.wake)
        return broker

    def _requests_of(self, lanes: Sequence[Lane]) -> list[list[Lane]]:
        """Group lanes such that a request stays within its bound."""
        groups: list[list[Lane]] = []
        room = 0
        for lane in lanes:
            size = self._accumulator.next_size(lane)
            if not groups or size > room:
                groups.append([])
                room = self._max_request_bytes
            groups[-1].append(lane)
            room -= size
        return groups

    def _start(self, broker: Broker, lanes: Sequence[Lane], now: float) -> None:
        if self._identities.current is None:
            self._refresh()  # which also asks for an identity
        taken = []
        for lane in lanes:
            batch = self._accumulator.take(lane, now)
            if self._identities.number(lane, batch):
                taken.append((lane, batch))
            else:
                self._accumulator.put_back(
                    lane, batch, instead_of=batch, ready_at=now + _NO_LEADER_PAUSE
                )
        if not taken:
            return
        broker.in_flight += 1
        self._keep(asyncio.create_task(self._request(broker, taken)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _request(self, broker: Broker, taken: Sequence[tuple[Lane, Batch]]) -> None:
        started = time.monotonic()
        try:
            topics = await self._topics_of(taken)
            started = time.monotonic()
            response = await broker.request(
                ProduceRequest(
                    transactional_id=None,
                    required_acks=self._acks,
                    timeout=int((self._access.request_timeout - _ANSWER_MARGIN) * 1000),
                    topics=topics,
                )
            )
        except BrokerUnreachable as error:
            logger.debug("A produce request failed.", extra={"detail": str(error)})
            for lane, batch in taken:
                batch.unclear |= error.sent
                self._again(lane, batch, "connection")
            self._refresh()
        except Exception:
            logger.exception("A produce request could not be made; this is a defect.")
            for lane, batch in taken:
                batch.unclear = True
                self._again(lane, batch, "defect")
        except asyncio.CancelledError:
            for lane, batch in taken:
                batch.unclear = True
                self._again(lane, batch, "connection")
            raise
        else:
            self.answered_at = now = time.monotonic()
            records = sum(len(batch.entries) for _, batch in taken)
            size = sum(len(data) for _, parts in topics for _, data in parts)
            self._watch.answered(now - started, len(taken), records, size)
            throttled = getattr(response, "throttle_time_ms", 0) / 1000
            broker.quiet_until = now + throttled if throttled else 0.0
            self._judge(taken, response)
        finally:
            broker.in_flight -= 1
            self.wake()

    async def _topics_of(
        self, taken: Sequence[tuple[Lane, Batch]]
    ) -> list[tuple[str, list[tuple[int, bytes]]]]:
        topics: dict[str, list[tuple[int, bytes]]] = {}
        busy_since = time.perf_counter()
        for lane, batch in taken:
            if time.perf_counter() - busy_since > _BUSY:
                await asyncio.sleep(0)
                busy_since = time.perf_counter()
            if batch.data is None:
                batch.data = encoded(batch, self._compression)
            batch.attempts += 1
            topics.setdefault(lane.topic, []).append((lane.partition, batch.data))
        return list(topics.items())

    def _judge(self, taken: Sequence[tuple[Lane, Batch]], response: Any) -> None:
        answers = {(topic, row[0]): row for topic, rows in response.topics for row in rows}
        for lane, batch in taken:
            row = answers.get((lane.topic, lane.partition))
            if row is None:
                batch.unclear = True
                self._again(lane, batch, "no answer")
                continue
            code = row[1]
            if verdict_of(code) is Verdict.STORED:
                self._stored(lane, batch, code, offset=row[2])
            else:
                # Since version 8: which records of the batch are at fault, and why (KIP-467).
                faults = row[_FAULTS] if len(row) > _FAULTS else None
                self._act(lane, batch, code, dict(faults or ()))

    def _act(self, lane: Lane, batch: Batch, code: int, faults: dict[int, str]) -> None:
        match verdict_of(code):
            case Verdict.RETRY:
                self._again(lane, batch, name_of(code))
            case Verdict.REFRESH:
                # A leader that is deposed while its followers copy answers this as well.
                batch.unclear = True
                self._refresh()
                self._again(lane, batch, name_of(code), longest=_LONGEST_PAUSE_FOR_LEADER)
            case Verdict.UNCLEAR:
                batch.unclear = True
                self._again(lane, batch, name_of(code))
            case Verdict.IDENTITY:
                self._renumber(lane, batch, name_of(code))
            case Verdict.TOPIC:
                failure = TopicUnavailable(
                    f"Kafka refuses everything for the topic {lane.topic}: {name_of(code)}.",
                    hint="An operator must let this service write to it.",
                )
                self._refused(lane, batch, dict.fromkeys(range(len(batch.entries)), failure))
            case Verdict.TOO_LARGE if len(batch.entries) > 1:
                self._halve(lane, batch, name_of(code))
            case Verdict.TOO_LARGE:
                self._refused(lane, batch, {0: _too_large(batch.entries[0])})
            case Verdict.REFUSED:
                self._sort_out(lane, batch, name_of(code), faults)

    def _stored(self, lane: Lane, batch: Batch, code: int, offset: int) -> None:
        seen = (code != 0 and batch.attempts == 1) or 0 <= offset <= lane.last_offset
        if seen and batch.identity is not ANONYMOUS:
            # It takes this batch for an earlier one, so this one is not stored. We know of no way
            # to get here but a topic that was made anew; then an event is stored twice, not lost.
            lane.last_offset = -1
            self._renumber(lane, batch, "MISTAKEN_FOR_ANOTHER")
            return
        lane.last_offset = max(lane.last_offset, offset + len(batch.entries) - 1)
        self._identities.stored(lane, batch)
        lane.failures = 0
        lane.ready_at = 0.0
        known = offset >= 0
        topic, partition = lane.topic, lane.partition
        if not known:
            offset = -1
        for entry in batch.entries:
            entry.tell(Delivery("acked", topic, partition, offset))
            offset += known
        self._accumulator.finished(lane, batch)

    def _renumber(self, lane: Lane, batch: Batch, reason: str) -> None:
        """Send a batch again under another identity."""
        self._identities.retire(batch.identity)
        batch.identity, batch.data = None, None
        self._again(lane, batch, reason)

    def _halve(self, lane: Lane, batch: Batch, reason: str) -> None:
        self._watch.retried(reason)
        self._identities.give_up(batch)
        self._accumulator.put_back(lane, *halves(batch), instead_of=batch, ready_at=0.0)

    def _again(
        self, lane: Lane, batch: Batch, reason: str, *, longest: float = _LONGEST_PAUSE
    ) -> None:
        self._watch.retried(reason)
        if not batch.awaited:
            self._identities.give_up(batch)
            self._accumulator.finished(lane, batch)
            return
        lane.failures += 1
        pause = min(_FIRST_PAUSE * 2 ** min(lane.failures - 1, 10), longest)
        ready_at = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries)
        self._accumulator.put_back(lane, batch, instead_of=batch, ready_at=ready_at)

    def _sort_out(self, lane: Lane, batch: Batch, code: str, faults: dict[int, str]) -> None:
        """Refuse the records that are at fault, and send the others again without them."""
        count = len(batch.entries)
        at_fault = {place: text for place, text in faults.items() if 0 <= place < count}
        if count == 1:
            at_fault = {0: at_fault.get(0, "")}
        if not at_fault:  # an older broker does not say which
            self._halve(lane, batch, code)
            return
        self._refused(
            lane,
            batch,
            {
                place: RecordRefused(
                    f"Kafka refuses this event: {code}{f' ({text})' if text else ''}.",
                    hint="Its topic does not take such events; see the topic's configuration.",
                )
                for place, text in at_fault.items()
            },
        )

    def _refused(self, lane: Lane, batch: Batch, failures: dict[int, EventError]) -> None:
        self._identities.give_up(batch)
        lane.failures = 0  # the broker answers, and for good
        gone = Batch([batch.entries[place] for place in failures])
        rest = without(batch, gone.entries)
        for entry, failure in zip(gone.entries, failures.values(), strict=True):
            entry.tell(failure)
        self._accumulator.put_back(lane, gone, *rest, instead_of=batch, ready_at=0.0)
        lane.again.remove(gone)
        self._accumulator.finished(lane, gone)


def _too_large(entry: Entry) -> EventTooLarge:
    size = len(entry.record.value)
    return EventTooLarge(
        f"The event has {size:,} bytes, more than Kafka takes for the topic {entry.record.topic}.",
        expected="no more than the topic's max.message.bytes",
        got=f"{size:,} bytes",
        hint="Send a smaller event, or ask for a higher max.message.bytes of the topic.",
    )

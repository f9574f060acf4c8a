"""One membership in a consumer group: lines are taken, and committed once they are done.

A line that is not done is never committed: whoever has its partition next begins with it.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from app.consuming.batch import Batch, Take
from app.consuming.lines import Line
from app.consuming.offsets import offsets_of
from app.consuming.subscription import ANSWER, Subscription, consumer_of
from app.core.errors import ConfigError

logger = logging.getLogger(__name__)

POLL = 1.0
"""Seconds that a poll waits for lines."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka says no types
    """Consumes until it is told to stop, or until something is wrong that another may mend.

    `settled` says whether it ever could do its work: something was committed.
    """

    def __init__(self, subscription: Subscription, take: Take) -> None:
        self.settled = False
        self._subscription = subscription
        self._take_lines = take
        self._consumer = consumer_of(subscription)
        self._batch: Batch | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopping = False

    async def consume(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, and leave the group; raises what is wrong.

        The batch in work is finished then, but what the sink does not take is not tried again.
        """
        stopping = asyncio.create_task(stop.wait())
        consuming = asyncio.create_task(self._consume())
        try:
            await asyncio.wait({stopping, consuming}, return_when=asyncio.FIRST_COMPLETED)
            self._stopping = True
            if self._batch is not None:
                self._batch.left.set()
                await asyncio.wait({consuming}, timeout=self._subscription.patience)
            if consuming.done():
                consuming.result()
        finally:
            await _ended(consuming)
            await self._leave(stopping)
            await _ended(stopping)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish the batch in work or give it up: its partitions may be others' in a moment."""
        batch, work = self._batch, self._work
        if batch is None or work is None:
            return
        batch.left.set()
        await asyncio.wait({work}, timeout=self._subscription.patience)
        if not work.done():
            await _ended(work)
            logger.warning(
                "Lines in work were given up: their partitions are given away, and whoever has "
                "them next takes these lines again.",
                extra={"partitions": _listed(revoked)},
            )

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Say what is consumed from now on."""
        logger.info("Partitions were assigned.", extra={"partitions": _listed(assigned)})

    async def _consume(self) -> None:
        await self._join()
        heard = time.monotonic()
        while not self._stopping:
            records = await self._poll()
            if records:
                await self._take(records)
                heard = time.monotonic()
            elif time.monotonic() - heard > self._subscription.quiet:
                # It may have gone for good, with all addresses that are known of the cluster.
                await _in_time(self._consumer.committed(self._any_partition), "a question")
                heard = time.monotonic()

    async def _join(self) -> None:
        await self._consumer.start()
        # To ask for a topic that does not exist may create it.
        if self._subscription.topic not in await _in_time(self._consumer.topics(), "a question"):
            raise ConfigError(
                f"There is no topic {self._subscription.topic} on "
                f"{','.join(self._subscription.servers)}, or this user may not see it. Correct "
                "--topic, create the topic, or grant Read on it."
            )
        self._consumer.subscribe([self._subscription.topic], listener=self)

    async def _poll(self) -> Mapping[TopicPartition, Sequence[Any]]:
        try:
            # What is returned is in work at once: nothing can happen in between.
            records: Mapping[TopicPartition, Sequence[Any]] = await self._consumer.getmany(
                timeout_ms=int(POLL * 1000)
            )
        except NoOffsetForPartitionError:
            await self._begin()
        except OffsetOutOfRangeError as error:
            await self._begin_again(error.args[0])
        else:
            return records
        return {}

    async def _take(self, records: Mapping[TopicPartition, Sequence[Any]]) -> None:
        batch = Batch([_line(record) for part in records.values() for record in part])
        work = asyncio.create_task(self._take_and_commit(batch, records))
        self._batch, self._work = batch, work
        try:
            await asyncio.wait({work})  # whoever takes partitions away may cancel it
            if not work.cancelled():
                work.result()
        finally:
            self._batch = self._work = None
            await _ended(work)

    async def _take_and_commit(
        self, batch: Batch, records: Mapping[TopicPartition, Sequence[Any]]
    ) -> None:
        await self._take_lines(batch)
        await self._commit(offsets_of(records, batch.done))

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not offsets:
            return
        try:
            await _in_time(self._consumer.commit(offsets), "a commit")
        except (CommitFailedError, IllegalStateError) as error:
            logger.warning(
                "Partitions went to other members before a commit: they take lines again that are "
                "stored already.",
                extra={"partitions": _listed(offsets), "error": str(error)},
            )
        else:
            self.settled = True

    async def _begin(self) -> None:
        """Find and commit where to begin on partitions that the group has committed nothing of."""
        consumer = self._consumer
        try:
            new = [
                partition
                for partition in consumer.assignment()
                if await _in_time(consumer.committed(partition), "a question") is None
            ]
            if not new:
                return
            if self._subscription.begin == "earliest":
                await _in_time(consumer.seek_to_beginning(*new), "a seek")
            else:
                await _in_time(consumer.seek_to_end(*new), "a seek")
            places = {each: await _in_time(consumer.position(each), "a seek") for each in new}
        except IllegalStateError:
            return  # they have just been given away
        # Committed at once: for `latest`, who begins again after this must not skip what came.
        await self._commit(places)

    async def _begin_again(self, lost: Mapping[TopicPartition, int]) -> None:
        try:
            await _in_time(self._consumer.seek_to_beginning(*lost), "a seek")
        except IllegalStateError:
            return  # they have just been given away
        logger.error(
            "The offset to go on from is not in the topic: lines were deleted before they were "
            "consumed, or the topic was made anew. It goes on with the oldest line there is.",
            extra={"offsets": ", ".join(f"{p.topic}[{p.partition}] {o}" for p, o in lost.items())},
        )

    async def _leave(self, stopping: "asyncio.Task[bool]") -> None:
        """Leave the group, so that the others need not wait for our silence to be noticed."""
        leaving = asyncio.create_task(self._consumer.stop())
        await asyncio.wait({leaving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({leaving}, timeout=ANSWER)
        await _ended(leaving)

    @property
    def _any_partition(self) -> TopicPartition:
        return TopicPartition(self._subscription.topic, 0)


def _line(record: Any) -> Line:
    origin = f"{record.topic} [{record.partition}] offset"
    return Line(record.value or b"", origin, record.offset, record.timestamp)


async def _in_time(asked: Coroutine[Any, Any, Any], what: str) -> Any:
    try:
        async with asyncio.timeout(ANSWER):
            return await asked
    except TimeoutError as error:
        message = f"The cluster did not answer {what} within {ANSWER:g} s."
        raise TimeoutError(message) from error


async def _ended(task: "asyncio.Task[Any]") -> None:
    """Cancel a task unless it has ended, and wait for its end; what it raised is told elsewhere."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _listed(partitions: Collection[TopicPartition]) -> str:
    return ", ".join(f"{each.topic}[{each.partition}]" for each in sorted(partitions)) or "none"

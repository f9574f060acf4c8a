"""One membership in a consumer group: lines are taken, and committed once they are done.

A line that is not done is never committed: whoever gets its partition next begins with it.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from app.consuming.intake import Batch
from app.consuming.lines import Line
from app.core.errors import ConfigError
from app.sinks.kafka.broker import Access

logger = logging.getLogger(__name__)

LINES = 500
"""Lines that are in work together, of all partitions; no more are begun before they are done."""
POLL = 1.0
"""Seconds that a poll waits for lines."""
PATIENCE = 20.0
"""Seconds that the batch in work may take when partitions are to be given away."""
REBALANCE = 45.0
"""Seconds that the group waits for a member: more than PATIENCE and a commit together."""
ANSWER = 15.0
"""Seconds for a commit, a question about topics, or leaving."""
QUIET = 30.0
"""Seconds without a line after which the brokers are asked whether they are still there."""
NEVER_IDLE = 2**31 - 1
"""Milliseconds: a member whose sink is away for hours still holds its place; heartbeats say so."""

Place = Literal["earliest", "latest"]
Records = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class Takes(Protocol):
    """Who takes batches."""

    async def take(self, batch: Batch) -> None:
        """Process the lines until all are done, or the batch is left."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is consumed and as whom. `begin` is where, on partitions of which the group knows none."""

    servers: Sequence[str]
    topic: str
    group: str
    begin: Place
    access: Access


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  (aiokafka has no types)
    """Consumes until it is told to stop, or until something is wrong that a new one may mend."""

    def __init__(self, subscription: Subscription, intake: Takes) -> None:
        self._subscription = subscription
        self._intake = intake
        self._consumer = _consumer(subscription)
        self._batch: Batch | None = None
        self._work: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Connect and ask for partitions; raises KafkaError, or ConfigError if there is no topic."""
        await self._consumer.start()
        # Asked first: a subscription to a topic that does not exist may create it.
        if self._subscription.topic not in await self._topics():
            raise ConfigError(
                f"There is no topic {self._subscription.topic} on "
                f"{','.join(self._subscription.servers)}, or this user may not read it: correct "
                "--topic, or create the topic, or grant Read and Describe on it."
            )
        self._consumer.subscribe([self._subscription.topic], listener=self)

    async def consume(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; raises KafkaError.

        The batch in work is finished then, unless the sink does not take it.
        """
        stopping = asyncio.create_task(stop.wait())
        polling = asyncio.create_task(self._consume())
        try:
            await asyncio.wait({stopping, polling}, return_when=asyncio.FIRST_COMPLETED)
            if self._batch is not None:
                self._batch.left.set()
                await asyncio.wait({polling}, timeout=PATIENCE)
        finally:
            await _ended(stopping)
            await _ended(polling)

    async def leave(self) -> None:
        """Leave the group, so that others need not wait to take over. Raises nothing."""
        ...

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish the batch in work, or give it up: what comes next may be another member's."""

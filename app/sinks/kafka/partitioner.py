"""Which partition a record goes to: by its key as Java clients do it, else where a batch forms."""

import random
from collections.abc import Sequence
from functools import lru_cache

from aiokafka.partitioner import murmur2

from app.sinks.kafka.accumulator import Accumulator, Lane
from app.sinks.kafka.metadata import NO_LEADER

STALLED_AFTER = 0.5
"""Seconds without an answer after which records without a key go elsewhere."""


class Partitioner:
    """Chooses lanes. Records without a key stay with one partition until a batch is full or gone.

    A partition whose leader does not answer gets none of them while there are others.
    """

    def __init__(self, accumulator: Accumulator, *, batch_bytes: int) -> None:
        self._accumulator = accumulator
        self._batch_bytes = batch_bytes
        self._sticky: dict[str, Lane] = {}

    def keyed(self, topic: str, key: bytes, partitions: int) -> Lane:
        """Return the lane of a key."""
        return self._accumulator.lane(topic, (_hash_of(key) & 0x7FFFFFFF) % partitions)

    def unkeyed(self, topic: str, leaders: Sequence[int], now: float) -> Lane:
        """Return the lane where records without a key gather now."""
        lane = self._sticky.get(topic)
        if (
            lane is not None
            and lane.partition < len(leaders)
            and leaders[lane.partition] != NO_LEADER
            and (lane.queue or lane.in_flight is None)
            and lane.queued_bytes < self._batch_bytes
            and not _stalled(lane, now)
        ):
            return lane
        lane = self._chosen(topic, leaders, now)
        self._sticky[topic] = lane
        return lane

    def _chosen(self, topic: str, leaders: Sequence[int], now: float) -> Lane:
        led = [number for number, leader in enumerate(leaders) if leader != NO_LEADER]
        lanes = [self._accumulator.lane(topic, number) for number in led or range(len(leaders))]
        well = [lane for lane in lanes if not _stalled(lane, now)] or lanes
        # The emptier of two chosen at random spreads load nearly as well as the emptiest of all.
        pair = random.sample(well, min(2, len(well)))
        return min(pair, key=lambda lane: lane.queued_bytes)


# In Python it takes longer than all else that is done for a record; keys come again.
_hash_of = lru_cache(maxsize=65_536)(murmur2)


def _stalled(lane: Lane, now: float) -> bool:
    if lane.failures:
        return True
    return lane.in_flight is not None and now - lane.sent_at > STALLED_AFTER

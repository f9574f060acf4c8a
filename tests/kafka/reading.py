"""Reading a cluster back through librdkafka: every record that topics hold now."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Received

# A client that finds its broker gone says so on stderr, again and again; tests do that on purpose.
QUIET = {"log_level": 0, "error_cb": lambda _: None, "reconnect.backoff.max.ms": 200}
AT_ONCE = 10_000
SETTINGS = {
    "group.id": "sluiceway-tests",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "check.crcs": True,
    "fetch.wait.max.ms": 50,
    **QUIET,
}


@dataclass(frozen=True, slots=True)
class Message:
    """A record as a consumer sees it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...]


def read_all(bootstrap: str, topics: Collection[str], seconds: float = 60.0) -> list[Message]:
    """Return all records of topics, from the first to the last of the moment of the call.

    Ordered by topic, partition and offset. What is written meanwhile may be missing, but nothing
    that was acknowledged before; raises TimeoutError rather than return a part.
    """
    deadline = time.monotonic() + seconds
    consumer = Consumer({"bootstrap.servers": bootstrap, **SETTINGS})
    try:
        ends = {place: _ends(consumer, place, deadline) for place in _places(consumer, topics)}
        consumer.assign([TopicPartition(*place, low) for place, (low, _) in ends.items()])
        missing = {place: high for place, (low, high) in ends.items() if low < high}
        found = []
        while missing:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not read to these ends within {seconds:g} s: {missing}")
            for received in consumer.consume(AT_ONCE, timeout=0.05):
                place = (received.topic(), received.partition())
                error = received.error()
                if error is None:
                    found.append(_message(received))
                    reached = received.offset() + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    reached = received.offset()
                else:
                    continue  # librdkafka tries again by itself; we only mind the deadline
                if reached >= missing.get(place, reached + 1):
                    del missing[place]
        return sorted(found, key=lambda m: (m.topic, m.partition, m.offset))
    finally:
        consumer.close()


def values(bootstrap: str, topic: str) -> list[bytes | None]:
    return [message.value for message in read_all(bootstrap, [topic])]


def _places(consumer: Consumer, topics: Collection[str]) -> list[tuple[str, int]]:
    known = consumer.list_topics(timeout=30.0).topics
    if unknown := sorted(set(topics) - known.keys()):
        raise LookupError(f"there are no such topics: {', '.join(unknown)}")
    return [(topic, number) for topic in topics for number in known[topic].partitions]


def _ends(consumer: Consumer, place: tuple[str, int], deadline: float) -> tuple[int, int]:
    """Ask the leader for the first offset and the one after the last."""
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(*place), timeout=5.0)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # the partition has no leader for the moment


def _message(received: Received) -> Message:
    return Message(
        received.topic(),
        received.partition(),
        received.offset(),
        received.key(),
        received.value(),
        received.timestamp()[1],
        tuple(received.headers() or ()),
    )

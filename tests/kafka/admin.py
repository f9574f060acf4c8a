"""Looking at and changing a cluster through librdkafka, which is not the client under test."""

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

from tests.kafka.leaders import elect_preferred, put_first
from tests.kafka.reading import QUIET, Message, read_all
from tests.support import until

__all__ = ["Admin", "Message", "Partition", "brokers_seen_by", "read_all"]

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Partition:
    """Who keeps a partition, by node id; the leader is -1 where there is none."""

    leader: int
    replicas: tuple[int, ...]
    in_sync: frozenset[int]

    @property
    def whole(self) -> bool:
        return self.leader >= 0 and self.in_sync == set(self.replicas)


class Admin:
    """What an administrator does; methods that change something wait until it shows."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._client = AdminClient({"bootstrap.servers": bootstrap, **QUIET})

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        replication: int = 1,
        config: Mapping[str, str] | None = None,
    ) -> str:
        """Create a topic and return its name once the leader of every partition serves it."""
        topic = NewTopic(name, partitions, replication, config=dict(config or {}))
        _all_done(self._client.create_topics([topic], request_timeout=SECONDS))
        until(lambda: len(self.describe(name)) == partitions, SECONDS)
        self.wait_whole([name])
        # Best effort: it is a courtesy to producers that do not try again.
        with suppress(TimeoutError):
            until(lambda: self._served(name, partitions), 5.0)
        return name

    def delete_topic(self, name: str) -> None:
        _all_done(self._client.delete_topics([name], operation_timeout=SECONDS))
        until(lambda: name not in self.topics(), SECONDS)

    def topics(self) -> set[str]:
        """Return the names of all topics but Kafka's own."""
        found = self._client.list_topics(timeout=SECONDS).topics
        return {name for name in found if not name.startswith("__")}

    def describe(self, topic: str) -> dict[int, Partition]:
        """Return the partitions of a topic by number; none if there is no such topic."""
        found = self._client.list_topics(topic, timeout=SECONDS).topics[topic]
        return {
            number: Partition(entry.leader, tuple(entry.replicas), frozenset(entry.isrs))
            for number, entry in found.partitions.items()
        }

    def leader(self, topic: str, partition: int = 0) -> int:
        return self.describe(topic)[partition].leader

    def move_leader(self, topic: str, partition: int, to: int) -> None:
        """Make another of its replicas the leader, without moving any data."""
        replicas = self.describe(topic)[partition].replicas
        assert to in replicas, f"node {to} does not keep {topic} [{partition}]"
        order = [to, *(node for node in replicas if node != to)]
        address = self.bootstrap.split(",")[0]
        put_first(address, topic, partition, order)
        until(lambda: self.describe(topic)[partition].replicas[0] == to, SECONDS)
        elect_preferred(address, topic, partition)
        until(lambda: self.leader(topic, partition) == to, SECONDS)

    def wait_whole(self, topics: Collection[str] | None = None, seconds: float = 60.0) -> None:
        """Wait until every partition has a leader and all its replicas are in sync."""

        def whole() -> bool:
            wanted = self.topics() if topics is None else topics
            return all(p.whole for topic in wanted for p in self.describe(topic).values())

        until(whole, seconds)

    def forbid(self, topic: str, user: str) -> None:
        """Let everybody write to a topic but this user of the secure listener."""
        rules = (("*", AclPermissionType.ALLOW), (user, AclPermissionType.DENY))
        acls = [
            AclBinding(
                ResourceType.TOPIC,
                topic,
                ResourcePatternType.LITERAL,
                f"User:{name}",
                "*",
                AclOperation.WRITE,
                permission,
            )
            for name, permission in rules
        ]
        _all_done(self._client.create_acls(acls, request_timeout=SECONDS))

    def _served(self, topic: str, partitions: int) -> bool:
        """Ask the leaders themselves: metadata may be ahead of them."""
        wanted = {TopicPartition(topic, n): OffsetSpec.latest() for n in range(partitions)}
        answers = self._client.list_offsets(wanted, request_timeout=2.0)
        return all(answer.exception(3.0) is None for answer in answers.values())


def brokers_seen_by(address: str, seconds: float) -> set[int]:
    """Return the node ids that the broker at an address tells clients of; none if it is silent."""
    client = AdminClient({"bootstrap.servers": address, **QUIET})
    try:
        return set(client.list_topics(timeout=seconds).brokers)
    except KafkaException:
        return set()


def _all_done(futures: Mapping[Any, "Future[Any]"]) -> None:
    for future in futures.values():
        future.result(SECONDS)

"""What is known of a Kafka cluster: its brokers, and which of them leads each partition."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_LEADER = -1
UNKNOWN_TOPIC = 3
LEADER_NOT_AVAILABLE = 5


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class Metadata:
    """The last that brokers told; topics that nobody uses for `keep` seconds are forgotten.

    `leaders` has a tuple per topic: the leading broker of each partition, -1 where there is none.
    """

    keep: float = 600.0
    cluster_id: str = ""
    brokers: Mapping[int, Address] = field(default_factory=dict)
    leaders: dict[str, tuple[int, ...]] = field(default_factory=dict)
    missing_since: dict[str, float] = field(default_factory=dict)
    _used: dict[str, float] = field(default_factory=dict)

    def partitions(self, topic: str) -> tuple[int, ...] | None:
        """Return the leaders of a topic's partitions, None if it is not known."""
        return self.leaders.get(topic)

    def touch(self, topic: str, now: float) -> None:
        """Note that a topic is in use."""
        self._used[topic] = now

    def wanted(self, now: float) -> list[str]:
        """Return the known topics that are in use, and forget the others."""
        for topic in [t for t in self.leaders if self._used.get(t, 0.0) + self.keep < now]:
            self.leaders.pop(topic)
            self._used.pop(topic, None)
            self.missing_since.pop(topic, None)
        return list(self.leaders)

    def learn(self, response: Any, now: float | None = None) -> dict[str, int]:
        """Take in a metadata response; return the error codes of topics that have one.

        A topic that was known stays known when a broker denies it, since one that just started may
        not have heard of it yet; `missing_since` says for how long it was denied.
        """
        now = time.monotonic() if now is None else now
        if response.brokers:
            self.brokers = {row[0]: Address(row[1], row[2]) for row in response.brokers}
        self.cluster_id = getattr(response, "cluster_id", "") or self.cluster_id
        denied = {}
        for row in response.topics:
            code, topic, partitions = row[0], row[1], row[-1]
            if code and not (code == LEADER_NOT_AVAILABLE and partitions):
                denied[topic] = code
                if topic in self.leaders:
                    self.missing_since.setdefault(topic, now)
                continue
            self.missing_since.pop(topic, None)
            known = {partition[1]: partition[2] for partition in partitions}
            if known:
                self.leaders[topic] = tuple(
                    known.get(number, NO_LEADER) for number in range(max(known) + 1)
                )
        return denied

    def forget(self, topic: str) -> None:
        """Treat a topic as never heard of."""
        self.leaders.pop(topic, None)
        self.missing_since.pop(topic, None)

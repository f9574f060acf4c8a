"""What is measured: the requests, and the servers that get them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.events import body
from tests.benchmarks.load import Target
from tests.benchmarks.records import queries


@dataclass(frozen=True, slots=True)
class Scenario:
    """Requests of one kind; `events` in each, of which one in `bad_in` is bad, if any."""

    name: str
    events: int = 1
    bad_in: int = 0
    path: str = "/v1/events"
    connections: int = 16
    servers: Sequence[str] = ("noop", "sluiceway", "plain")

    def target(self, url: str, folder: Path) -> Target:
        """Return what is asked of the server at a URL."""
        if self.path.startswith("/beacon"):
            query = next(queries(1)).decode()
            return Target(f"{url}{self.path}?{query}", 1)
        file = folder / f"body-{self.events}-{self.bad_in}"
        file.write_bytes(body(self.events, bad_in=self.bad_in))
        return Target(f"{url}{self.path}", self.events, file)


_WITH_FLOOR = ("noop", "floor", "sluiceway", "plain")

NULL: Sequence[Scenario] = (
    Scenario("1 event", servers=_WITH_FLOOR),
    Scenario("10 events", 10, servers=_WITH_FLOOR),
    Scenario("50 events", 50, servers=_WITH_FLOOR),
    Scenario("100 events", 100, servers=_WITH_FLOOR),
    Scenario("10 events, one bad", 10, bad_in=10),
    Scenario("hasty, 1 event", path="/v1/events?hasty=1"),
    Scenario("beacon", path="/beacon/event"),
)
"""Into a sink that forgets: what the service itself costs."""

_INTO_SQLITE = ("noop", "sqlite", "plain sqlite")
_INTO_KAFKA = ("noop", "kafka", "plain kafka")
_WORKERS = ("1 worker", "2 workers")

SQLITE: Sequence[Scenario] = (
    Scenario("SQLite, 1 event", connections=100, servers=_INTO_SQLITE),
    Scenario("SQLite, 10 events", 10, connections=100, servers=_INTO_SQLITE),
)
KAFKA: Sequence[Scenario] = (
    Scenario("Kafka, 1 event", connections=64, servers=_INTO_KAFKA),
    Scenario("Kafka, 10 events", 10, connections=64, servers=_INTO_KAFKA),
    Scenario("Kafka, 100 events", 100, connections=16, servers=_INTO_KAFKA),
)
WORKERS: Sequence[Scenario] = (
    Scenario("1 event, on all cores", connections=32, servers=_WORKERS),
    Scenario("10 events, on all cores", 10, connections=32, servers=_WORKERS),
)

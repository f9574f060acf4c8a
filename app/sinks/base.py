"""What every sink is: four methods; and what some can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.core.errors import EventError
from app.core.events import Delivery, Record


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a sink takes records now, and a sentence for the operator if not."""

    ok: bool
    detail: str = ""


class Sink(Protocol):
    """A place that records are written to.

    `start` comes first and once, `stop` last and once; `produce` may be called by many tasks at
    the same time in between.
    """

    @property
    def target(self) -> str:
        """Say for people where records go, such as `sqlite ./sluiceway.db`."""
        ...

    async def start(self) -> None:
        """Open what is needed; raise ConfigError if that cannot work."""
        ...

    async def stop(self, grace: float) -> None:
        """Write what was taken, within `grace` seconds, and close."""
        ...

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        """Write records; answer for each, in order. Raises nothing.

        A Delivery means that the record is where the sink promises it to be. An IntakeFailure
        means that it is not stored (UnknownDelivery: that it may or may not be). An InvalidEvent
        means that the sink will never take this record, whatever else it takes.
        """
        ...

    async def healthy(self) -> Health:
        """Say whether records are taken now, without writing one."""
        ...


@runtime_checkable
class QueueingSink(Protocol):
    """A sink whose records wait for one another, and that knows how long.

    Kafka is none: what waits for it costs nothing but room, which has its own limits, and a broker
    that is slow is not made faster by refusing events.
    """

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest records have waited to be written."""
        ...

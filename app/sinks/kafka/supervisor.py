"""Keeps one generation of the producer alive, and says whether Kafka can be reached."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from app.core.errors import SinkUnavailable
from app.sinks.kafka.accumulator import Accumulator
from app.sinks.kafka.broker import BrokerUnreachable
from app.sinks.kafka.identities import Identities
from app.sinks.kafka.producer import End, Producer

logger = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between looks for records whose time is over."""
_PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)


def away() -> SinkUnavailable:
    """Return what callers are told meanwhile: never which brokers there are, and what ails them."""
    return SinkUnavailable(
        "Kafka cannot be reached now; the event is not stored.",
        hint="Send it again after a pause.",
    )


class Watch(Protocol):
    """Told of generations, for metrics."""

    def generation(self, reason: str) -> None:
        """Note that a producer was replaced, and why: outage or failure."""
        ...


class Supervisor:
    """Runs generation after generation until it is stopped.

    While there is none, `down` says why, to operators; what was never sent is then refused at once,
    so that a caller learns it now rather than at its deadline.
    """

    def __init__(
        self,
        *,
        generation: Callable[[], Producer],
        accumulator: Accumulator,
        identities: Identities,
        watch: Watch,
        client_id: str,
    ) -> None:
        self._client_id = client_id
        self.producer: Producer | None = None
        self.down = "Kafka was not reached yet."
        self.ever_up = False
        self.generations = 0
        self._generation = generation
        self._accumulator = accumulator
        self._identities = identities
        self._watch = watch
        self._first_try = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, patience: float) -> None:
        """Begin; wait up to `patience` seconds for the first connection."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._tick())]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._first_try.wait()

    def wake(self) -> None:
        """Say that there is something new to send."""
        if self.producer is not None:
            self.producer.sender.wake()

    async def stop(self) -> None:
        """End the generation there is, and begin no other."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.down = "The service is stopping."
        await self._retire()

    async def _run(self) -> None:
        failures = 0
        while True:
            producer = self._generation()
            try:
                await producer.start()
            except BrokerUnreachable as error:
                await producer.close()
                self._went_down(f"Kafka cannot be reached: {error}.", tell=failures == 0)
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
                continue
            except Exception:
                logger.exception("A Kafka producer could not be started; this is a defect.")
                await producer.close()
                self._went_down("The Kafka producer cannot start; see the log.", tell=False)
                await asyncio.sleep(_PAUSES[-1])
                continue
            except asyncio.CancelledError:
                await producer.close()
                raise
            failures = 0
            self._came_up(producer)
            end = await producer.ended
            await self._ended(end)
            failures = 1 if end.outage else 0

    def _came_up(self, producer: Producer) -> None:
        self.producer = producer
        if self.down:
            logger.info("Kafka is reached.", extra={"client_id": self._client_id})
        self.down = ""
        self.ever_up = True
        self.generations += 1
        self._first_try.set()
        producer.sender.wake()

    async def _ended(self, end: End) -> None:
        self._watch.generation("outage" if end.outage else "failure")
        if end.outage:
            self._went_down(end.reason, tell=True)
        await self._retire()

    async def _retire(self) -> None:
        producer, self.producer = self.producer, None
        if producer is not None:
            await producer.close()

    def _went_down(self, reason: str, *, tell: bool) -> None:
        if tell:
            logger.error(
                "Kafka is away; events for it are refused or spooled.",
                extra={"client_id": self._client_id, "detail": reason},
            )
        self.down = reason
        self._first_try.set()
        self._accumulator.refuse_unsent(away())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for _lane, batch in self._accumulator.expire(time.monotonic()):
                self._identities.give_up(batch)

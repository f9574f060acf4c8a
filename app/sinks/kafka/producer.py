"""One generation of producing: connections, and the tasks that live on them.

It ends when a task of it dies, or when no broker has answered for a while; the next generation then
goes on with what lies in the lanes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.sinks.kafka.accumulator import ANONYMOUS
from app.sinks.kafka.broker import BrokerUnreachable
from app.sinks.kafka.control import Control, IdentityRefused
from app.sinks.kafka.identities import Identities
from app.sinks.kafka.metadata import LEADER_NOT_AVAILABLE, Metadata
from app.sinks.kafka.sender import Sender

logger = logging.getLogger(__name__)

PROBE_EVERY = 2.0
METADATA_AGE = 60.0
MOST_TOPICS = 500
"""Topics in one request: the answer for thousands would hold up the event loop."""
_REFRESH_GAP = 0.05
_LONGEST_REFRESH_GAP = 1.0
_PAUSE = 0.25
_DENIED_FOR = 3.0
"""Seconds for which all brokers must deny a known topic until it is believed to be gone."""


@dataclass(frozen=True, slots=True)
class End:
    """Why a generation ended; `outage` says that the cluster, and not we, was at fault."""

    reason: str
    outage: bool


class Producer:
    """A generation. `silence` is for how many seconds no broker may answer.

    `on_gone` is told topics that no longer exist.
    """

    def __init__(
        self,
        *,
        control: Control,
        metadata: Metadata,
        identities: Identities,
        sender: Callable[[Callable[[], None]], Sender],
        silence: float,
        on_gone: Callable[[str], None],
    ) -> None:
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self.sender = sender(self.refresh)
        self._control = control
        self._metadata = metadata
        self._identities = identities
        self._silence = silence
        self._on_gone = on_gone
        self._refresh_wanted = asyncio.Event()
        self._refreshed_at = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Find the cluster; raises BrokerUnreachable."""
        await self._learn()
        await self._identify()
        for name, work in (("sending", self.sender.run()), ("tending", self._tend())):
            task = asyncio.create_task(work, name=f"kafka {name}")
            task.add_done_callback(self._died)
            self._tasks.append(task)

    def refresh(self) -> None:
        """Ask brokers for metadata soon."""
        self._refresh_wanted.set()

    async def look_up(self, topics: Sequence[str], *, create: bool) -> dict[str, int]:
        """Ask for topics; return the error code of each, 0 if it is known now.

        Raises BrokerUnreachable.
        """
        denied = await self._control.ask_metadata(topics, create=create)
        known = self._metadata.leaders
        return {t: 0 if t in known else denied.get(t, LEADER_NOT_AVAILABLE) for t in topics}

    async def close(self) -> None:
        """Disconnect at once; what was under way is in its lane again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.close()
        self._control.close()

    async def _tend(self) -> None:
        """Keep metadata fresh, and notice when nobody answers."""
        since = time.monotonic()
        gap = _REFRESH_GAP
        while True:
            try:
                async with asyncio.timeout(PROBE_EVERY):
                    await self._refresh_wanted.wait()
                # Others will find the same; and what does not help is done ever more seldom.
                await asyncio.sleep(gap)
                gap = min(gap * 1.5, _LONGEST_REFRESH_GAP)
            except TimeoutError:
                gap = _REFRESH_GAP
            try:
                if self._refresh_wanted.is_set() or self._stale():
                    self._refresh_wanted.clear()
                    await self._learn()
                    await self._identify()
                else:
                    await self._control.ask_metadata([])
            except BrokerUnreachable as error:
                answered = max(since, self._control.answered_at, self.sender.answered_at)
                if time.monotonic() - answered > self._silence:
                    self._end(End(f"No broker answers: {error}.", outage=True))
                    return
                self.refresh()
                await asyncio.sleep(_PAUSE)
            else:
                self.sender.wake()

    async def _learn(self) -> None:
        now = time.monotonic()
        wanted = self._metadata.wanted(now)
        for at in range(0, max(1, len(wanted)), MOST_TOPICS):
            await self._control.ask_metadata(wanted[at : at + MOST_TOPICS])
        self._refreshed_at = now
        for topic, denied_at in list(self._metadata.missing_since.items()):
            if time.monotonic() - denied_at > _DENIED_FOR:
                self._metadata.forget(topic)
                self._on_gone(topic)
            else:
                self.refresh()

    async def _identify(self) -> None:
        if self._identities.current is not None:
            return
        try:
            self._identities.current = await self._control.ask_identity()
        except IdentityRefused as error:
            logger.warning(
                "Kafka gives no producer id; a retry may store an event twice.",
                extra={"detail": str(error)},
            )
            self._identities.current = ANONYMOUS
        if self._identities.current is None:
            self.refresh()

    def _stale(self) -> bool:
        return time.monotonic() - self._refreshed_at > METADATA_AGE

    def _died(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error(
                "A task of the Kafka producer died; this is a defect.",
                exc_info=task.exception(),
            )
        self._end(End(f"The task {task.get_name()} ended.", outage=False))

    def _end(self, end: End) -> None:
        if not self.ended.done():
            self.ended.set_result(end)

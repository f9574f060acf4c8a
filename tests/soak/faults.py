"""The faults of a soak: each is begun, held for a while, and ended, whatever happens."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.kafka.broker import Broker
from tests.kafka.cluster import Cluster
from tests.soak.plan import Fault
from tests.soak.serving import Generations
from tests.soak.sources import SCHEMA_MOODS, STREAM_MOODS, Sources

Hold = Callable[[Fault], Awaitable[None]]

DISK_ROOM = 2 * 1024 * 1024
BROKERS = {
    "broker-frozen": (5.0, 12.0),
    "broker-killed": (4.0, 12.0),
}
ONE_BROKER = {"broker-moved": (0.0, 1.0)}
MANY_BROKERS = {
    "link-silent": (5.0, 12.0),
    "link-cut": (4.0, 10.0),
    "all-brokers-killed": (4.0, 10.0),
}
DISK = {"disk-full": (9.0, 14.0)}
PROCESSES = {
    "worker-killed": (2.0, 6.0),
    "sigterm-and-successor": (1.0, 4.0),
    "sigkill-and-successor": (1.0, 4.0),
}
SOURCES = {f"schemas-{mood}": (6.0, 12.0) for mood in SCHEMA_MOODS} | {
    f"streams-{mood}": (5.0, 10.0) for mood in STREAM_MOODS
}


@dataclass(slots=True)
class World:
    """All that can break."""

    cluster: Cluster
    generations: Generations
    sources: Sources

    @property
    def lanes(self) -> Mapping[str, Mapping[str, tuple[float, float]]]:
        """The faults by lane: within one they follow each other, of two they may overlap."""
        own = ONE_BROKER if len(self.cluster.brokers) == 1 else MANY_BROKERS
        return {"world": BROKERS | own | DISK | PROCESSES, "sources": SOURCES}

    async def suffer(self, fault: Fault) -> None:
        """Let a fault happen; everything is as before when this returns."""
        kind, _, mood = fault.kind.partition("-")
        if kind == "schemas":
            await self._mood("schemas", mood, fault.seconds)
        elif kind == "streams":
            await self._mood("streams", mood, fault.seconds)
        else:
            await self._holds[fault.kind](fault)

    async def mend(self) -> None:
        """Start whatever does not run."""
        await asyncio.to_thread(self._revive)

    @property
    def _holds(self) -> Mapping[str, Hold]:
        return {
            "broker-frozen": self._broker_frozen,
            "broker-killed": self._broker_killed,
            "broker-moved": self._broker_moved,
            "all-brokers-killed": self._all_killed,
            "link-silent": self._link_silent,
            "link-cut": self._link_cut,
            "worker-killed": self._worker_killed,
            "sigterm-and-successor": lambda fault: self._succeeded(fault, signal.SIGTERM),
            "sigkill-and-successor": lambda fault: self._succeeded(fault, signal.SIGKILL),
            "disk-full": self._disk_full,
        }

    async def _mood(self, area: str, mood: str, seconds: float) -> None:
        setattr(self.sources, area, mood)
        try:
            await asyncio.sleep(seconds)
        finally:
            setattr(self.sources, area, "well")

    async def _broker_frozen(self, fault: Fault) -> None:
        broker = self._broker(fault)
        broker.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            broker.thaw()
            await asyncio.to_thread(broker.wait_ready)

    async def _broker_killed(self, fault: Fault) -> None:
        await asyncio.to_thread(self._broker(fault).kill)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await self.mend()

    async def _all_killed(self, fault: Fault) -> None:
        await asyncio.to_thread(self.cluster.kill)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await self.mend()

    async def _broker_moved(self, fault: Fault) -> None:
        await asyncio.to_thread(self.cluster.readdress)
        await asyncio.sleep(fault.seconds)

    async def _link_silent(self, fault: Fault) -> None:
        link = self.cluster.links[self._broker(fault).node_id]
        await asyncio.to_thread(link.hold)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await asyncio.to_thread(link.release)

    async def _link_cut(self, fault: Fault) -> None:
        link = self.cluster.links[self._broker(fault).node_id]
        link.refusing = True
        try:
            await asyncio.to_thread(link.cut)
            await asyncio.sleep(fault.seconds)
        finally:
            link.refusing = False

    async def _worker_killed(self, fault: Fault) -> None:
        workers = self.generations.workers
        with suppress(ProcessLookupError):
            os.kill(workers[fault.pick % len(workers)], signal.SIGKILL)
        await asyncio.sleep(fault.seconds)

    async def _succeeded(self, fault: Fault, sig: signal.Signals) -> None:
        await self.generations.succeed(sig)
        await asyncio.sleep(fault.seconds)

    async def _disk_full(self, fault: Fault) -> None:
        """Take the disk from the spool at the time when it is needed."""
        broker = self._broker(fault)
        self.generations.limit_files(DISK_ROOM)
        broker.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            broker.thaw()
            self.generations.limit_files(None)
            await asyncio.to_thread(broker.wait_ready)

    def _broker(self, fault: Fault) -> Broker:
        return self.cluster.brokers[fault.pick % len(self.cluster.brokers)]

    def _revive(self) -> None:
        for broker in self.cluster.brokers:
            if not broker.running:
                broker.start()
        self.cluster.wait_ready()

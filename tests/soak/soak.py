"""One soak, from start to verdict."""

import asyncio
import json
import time
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.kafka.cluster import Cluster
from tests.kafka.ledger import HEAD, Ledger, ledger_of
from tests.kafka.load import Load
from tests.kafka.ports import free_ports
from tests.kafka.reading import read_all
from tests.kafka.scenario import ERRORS, STREAMS, make_topics
from tests.soak import chart, judge
from tests.soak.faults import PROCESSES, World
from tests.soak.judge import Check
from tests.soak.plan import Fault, faults
from tests.soak.serving import Generations, settings_of
from tests.soak.sources import Sources
from tests.soak.strangers import Strangers
from tests.soak.watch import Watch

__all__ = ["Plan", "Report", "soak"]

READY_SECONDS = 60.0
OUTAGE = 10.0
"""Seconds without Kafka during the warm-up: long enough for the spool to be used."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and with what. Times are in seconds; `only` limits the faults to some.

    `rest` is the quiet time at the end, after which memory has to be back.
    """

    seed: int
    seconds: float
    warm: float = 60.0
    rest: float = 60.0
    workers: int = 2
    clients: int = 12
    pause: float = 0.1
    pace: float = 1.0
    calm: tuple[float, float] = (4.0, 12.0)
    only: Collection[str] = ()


@dataclass(slots=True)
class Report:
    """What came of it."""

    plan: Plan
    ledger: Ledger
    checks: list[Check]
    faults: list[dict[str, Any]] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        lines = [HEAD, str(self.ledger), "", *map(str, self.checks), ""]
        return "\n".join([*lines, f"The soak {'passed' if self.passed else 'FAILED'}."])

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        everything = {
            "plan": asdict(self.plan) | {"only": sorted(self.plan.only)},
            "passed": self.passed,
            "checks": judge.as_json(self.checks),
            "ledger": asdict(replace(self.ledger, told={})) | {"told": dict(self.ledger.told)},
            "faults": self.faults,
            "strangers": self.told,
            "samples": self.samples,
        }
        path.write_text(json.dumps(everything, indent=1))


async def soak(plan: Plan, cluster: Cluster, folder: Path, out: Path) -> Report:
    """Load a service, break what it needs, and account for everything.

    The cluster must run, be used by nobody else, and have no topics; `folder` must be empty.
    Writes soak.json, soak.png and service.log into `out`.
    """
    markers = {name: f"{uuid4().hex}" for name in ("an event body", "a secret")}
    replication = len(cluster.brokers)
    await asyncio.to_thread(make_topics, cluster.admin, replication=replication)
    there = await asyncio.to_thread(cluster.admin.topics)
    (port,) = free_ports(1)
    load = Load(
        *("127.0.0.1", port, STREAMS),
        clients=plan.clients,
        pause=plan.pause,
        marker=markers["an event body"],
    )
    strangers = Strangers(load, markers["an event body"], plan.pace)
    with ExitStack() as closing:
        sources = closing.enter_context(Sources(markers["a secret"]))
        bootstrap = cluster.bootstrap if cluster.links else cluster.door.address
        settings = settings_of(
            folder, bootstrap=bootstrap, sources=sources.port, secret=markers["a secret"]
        )
        generations = Generations(folder, settings, port=port, workers=plan.workers)
        world = World(cluster, generations, sources)
        watch = Watch(
            load=load,
            pids=lambda: generations.workers,
            scrape=lambda: _scraped(generations),
            expected=lambda: generations.up,
        )
        try:
            await generations.start()
            await _ready(generations)
            happened = await _under_load(plan, world, watch, strangers)
        finally:
            await generations.stop()
        log = list(generations.logs())
    ledger, routes = await asyncio.to_thread(_account, plan, cluster, load, there)
    checks = [
        *judge.of_ledger(ledger),
        *judge.of_answers(load.sent, strangers.bad, strangers.told),
        *routes,
        *judge.of_processes(watch.samples, plan.warm, plan.workers),
        *judge.of_metrics(watch.samples, watch.scrapes, watch.missed),
        *judge.of_logs(log, markers),
    ]
    told = {f"{attack} {status}": n for (attack, status), n in sorted(strangers.told.items())}
    samples = [sample.as_json() for sample in watch.samples]
    report = Report(plan, ledger, checks, happened, told, samples)
    report.write(out / "soak.json")
    await asyncio.to_thread((out / "service.log").write_text, "".join(log))
    chart.draw(watch.samples, happened, out / "soak.png")
    return report


async def _under_load(
    plan: Plan, world: World, watch: Watch, strangers: Strangers
) -> list[dict[str, Any]]:
    """Warm up, let faults happen, rest and drain; return the faults that happened."""
    happened: list[dict[str, Any]] = []
    watch.began = time.monotonic()
    end = watch.began + plan.seconds - plan.rest
    half = watch.began + (plan.warm + plan.seconds - plan.rest) / 2
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(watch.load)
        watching = asyncio.create_task(watch.run())
        try:
            async with strangers:
                await _warmed(plan, world)
                lanes = (_Lane(plan, world, watch, name, happened) for name in world.lanes)
                await asyncio.gather(*(lane.run(half, end) for lane in lanes))
            await world.mend()
            print(f"{_at(watch)} rest", flush=True)
            await asyncio.sleep(plan.rest)
            await _drained(watch)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    return sorted(happened, key=lambda fault: float(fault["start"]))


async def _warmed(plan: Plan, world: World) -> None:
    """Warm up, with one outage in it: what is used for the first time takes memory for good."""
    await asyncio.sleep(plan.warm / 4)
    await world.suffer(Fault("broker-frozen", 0.0, min(OUTAGE, plan.warm / 3), 0))
    await asyncio.sleep(plan.warm * 3 / 4 - min(OUTAGE, plan.warm / 3))


@dataclass(frozen=True, slots=True)
class _Lane:
    """Faults that follow each other; notes in `happened` what did."""

    plan: Plan
    world: World
    watch: Watch
    name: str
    happened: list[dict[str, Any]]

    async def run(self, half: float, end: float) -> None:
        """Let faults happen until `end`; after `half` none that ends a process.

        Whoever is judged by memory and descriptors has to have lived through something.
        """
        kinds = self.world.lanes[self.name]
        await self._until(half, "first half", kinds)
        lasting = {kind: times for kind, times in kinds.items() if kind not in PROCESSES}
        await self._until(end, "second half", lasting)

    async def _until(self, end: float, part: str, kinds: Mapping[str, tuple[float, float]]) -> None:
        only = self.plan.only
        wanted = {kind: times for kind, times in kinds.items() if not only or kind in only}
        for fault in faults(self.plan.seed, f"{self.name}, {part}", wanted, self.plan.calm):
            if time.monotonic() + fault.calm + fault.seconds > end:
                return
            await asyncio.sleep(fault.calm)
            await self._suffered(fault)

    async def _suffered(self, fault: Fault) -> None:
        start = time.monotonic() - self.watch.began
        print(f"{_at(self.watch)} {self.name}: {fault}", flush=True)
        try:
            await self.world.suffer(fault)
        finally:
            end = time.monotonic() - self.watch.began
            about = {"lane": self.name, "start": start, "end": end}
            self.happened.append(asdict(fault) | about)


def _account(
    plan: Plan, cluster: Cluster, load: Load, there: set[str]
) -> tuple[Ledger, list[Check]]:
    """Read everything back; return the ledger and where events are."""
    messages = read_all(cluster.bootstrap, STREAMS)
    errors = read_all(cluster.bootstrap, [ERRORS])
    ledger = ledger_of(
        f"soak of {plan.seconds / 60:.0f} min, seed {plan.seed}",
        load.sent,
        messages,
        error_messages=errors,
        slowest=load.slowest(),
    )
    with_ids = ((message, json.loads(message.value or b"")["meta"]["id"]) for message in messages)
    return ledger, judge.of_routes(load.sent, with_ids, sorted(cluster.admin.topics() - there))


def _scraped(generations: Generations) -> str:
    status, body = generations.service.get("/metrics")
    if status != 200:
        raise ConnectionError(f"/metrics was answered {status}")
    return body.decode()


async def _ready(generations: Generations) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while (await asyncio.to_thread(generations.service.get, "/readyz"))[0] != 200:
        assert time.monotonic() < deadline, "the service did not become ready"
        await asyncio.sleep(0.1)


async def _drained(watch: Watch) -> None:
    """Wait until nothing waits in the spool."""
    deadline = time.monotonic() + READY_SECONDS
    while watch.samples[-1].spooled:
        assert time.monotonic() < deadline, "the spool did not drain"
        await asyncio.sleep(0.5)


def _at(watch: Watch) -> str:
    return f"{time.monotonic() - watch.began:7.1f} s"

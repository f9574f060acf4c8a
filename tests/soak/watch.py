"""What is looked at while a soak runs: memory, descriptors, threads, latency, the metrics."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.kafka.load import Load

PAGE = os.sysconf("SC_PAGESIZE")
FIGURES = {
    "sluiceway_spool_records": "spooled",
    "sluiceway_schemas_cached": "schemas",
    "sluiceway_streams_configured": "streams",
    "sluiceway_stream_configuration_age_seconds": "streams_age",
}


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of the service at one moment."""

    pid: int
    rss: int
    fds: int
    threads: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. Latencies are of the answers since the sample before, in seconds."""

    at: float
    workers: tuple[Worker, ...]
    answers: int
    p50: float
    p99: float
    series: int
    spooled: float
    schemas: float
    streams: float
    streams_age: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Watch:
    """Takes a sample every `every` seconds, of the processes that `pids` names.

    `scrape` returns the text of /metrics and raises OSError if it cannot be had; `expected` says
    whether it must be. A scrape that fails is tried once more, since whoever took the connection
    may be the worker that has just been killed.
    """

    load: Load
    pids: Callable[[], Sequence[int]]
    scrape: Callable[[], str]
    expected: Callable[[], bool]
    every: float = 1.0
    samples: list[Sample] = field(default_factory=list)
    scrapes: int = 0
    missed: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def run(self) -> None:
        """Watch until cancelled."""
        seen = 0
        while True:
            await asyncio.sleep(self.every)
            took = sorted(each.took for each in self.load.answers[seen:])
            seen += len(took)
            text = await self._scraped()
            figures = dict.fromkeys(FIGURES.values(), 0.0)
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            for line in lines:
                name, _, value = line.rpartition(" ")
                if name in FIGURES:
                    figures[FIGURES[name]] = float(value)
            self.samples.append(
                Sample(
                    at=time.monotonic() - self.began,
                    workers=tuple(filter(None, map(worker_of, self.pids()))),
                    answers=len(took),
                    p50=quantile(took, 0.5),
                    p99=quantile(took, 0.99),
                    series=len(lines),
                    **figures,
                )
            )

    async def _scraped(self) -> str:
        for _ in range(2):
            expected = self.expected()
            with suppress(OSError):
                text = await asyncio.to_thread(self.scrape)
                self.scrapes += 1
                return text
            if not (expected and self.expected()):
                return ""
        self.missed.append(time.monotonic() - self.began)
        return ""


def worker_of(pid: int) -> Worker | None:
    """Look at a process; None if it is gone."""
    proc = Path("/proc", str(pid))
    try:
        resident = int((proc / "statm").read_text().split()[1]) * PAGE
        return Worker(pid, resident, _entries(proc / "fd"), _entries(proc / "task"))
    except OSError:
        return None


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of what is sorted; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

"""Load by wrk, and what it cost the server's processes."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CLOCK = os.sysconf("SC_CLK_TCK")
LUA = Path(__file__).parent / "load.lua"


class NoWrkError(Exception):
    """There is no wrk; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for, and how much each request carries. `refused` answers are no errors."""

    url: str
    events: int
    body: Path | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run. Times are in ms, `cpu` in microseconds an event, `memory` in MiB."""

    requests: int
    events: int
    failed: int
    seconds: float
    p50: float
    p99: float
    cpu: float
    memory: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def find_wrk() -> str:
    """Return the path of wrk; raises NoWrkError."""
    found = shutil.which("wrk")
    if found is None:
        raise NoWrkError("wrk makes the load and is not on the PATH: install it (apt: wrk).")
    return found


def drive(
    target: Target,
    pids: Sequence[int],
    *,
    connections: int,
    seconds: int,
    core: int | None,
    pause: float = 0,
) -> Load:
    """Load a server for some seconds; `pids` are its processes, `core` is where wrk runs.

    Each connection waits for `pause` seconds on average before it asks again.
    """
    command = [find_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(LUA), target.url]
    pinned = ["taskset", "-c", str(core), *command] if core is not None else command
    environ = os.environ | {
        "BENCH_BODY": str(target.body or ""),
        "BENCH_PAUSE": str(round(pause * 1000)),
    }
    before = cpu_seconds(pids)
    ran = subprocess.run(pinned, env=environ, capture_output=True, text=True, check=True)
    used = cpu_seconds(pids) - before
    told = re.search(r"^bench (\{.*\})$", ran.stdout, re.MULTILINE)
    assert told, ran.stdout
    figures = json.loads(told[1])
    failed = figures["broken"] + (0 if target.refused else figures["status"])
    requests = figures["requests"]
    events = requests * target.events
    return Load(
        requests=requests,
        events=events,
        failed=failed,
        seconds=figures["duration"] / 1e6,
        p50=figures["p50"] / 1e3,
        p99=figures["p99"] / 1e3,
        cpu=used / max(events, 1) * 1e6,
        memory=sum(memory_of(pid) for pid in pids),
    )


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the user and system time of processes so far."""
    return sum(_ticks(pid) for pid in pids) / CLOCK


def memory_of(pid: int) -> float:
    """Return a process' resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def with_children(pid: int) -> Iterator[int]:
    """Yield a process and all those that it started."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from with_children(int(child))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])

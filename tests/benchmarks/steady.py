"""In steady use: latency at half of what a broker takes, the log's own rate, memory that stays.

python -m tests.benchmarks.steady
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from app.core.events import Record
from app.eventlog import EventLog
from tests.benchmarks.events import STREAM, URI, body, write_house
from tests.benchmarks.load import Target, drive, find_wrk, memory_of
from tests.benchmarks.serving import broker, started

CONNECTIONS = 64
BATCH = 100


def latency(folder: Path, seconds: int) -> None:
    """Show p50 and p99 of single events that a real broker acknowledges, at half of saturation."""
    content = folder / "one"
    content.write_bytes(body(1))
    with broker(folder / "broker", [STREAM, "sluiceway.error"]) as bootstrap:
        if bootstrap is None:
            return
        config = write_house(folder, {"type": "kafka", "bootstrap_servers": [bootstrap]})
        arguments = ["configured", "--config", str(config)]
        with started("kafka", arguments, core=None) as server:
            target = Target(f"{server.url}/v1/events", 1, content)
            drive(target, server.pids, connections=CONNECTIONS, seconds=3, core=None)
            full = drive(target, server.pids, connections=CONNECTIONS, seconds=seconds, core=None)
            pause = 2 * CONNECTIONS / full.rate - full.p50 / 1e3 / 2
            half = drive(
                target,
                server.pids,
                connections=CONNECTIONS,
                seconds=seconds,
                core=None,
                pause=pause,
            )
    print("| Kafka, single events | events/s | p50 ms | p99 ms | failed |\n|---|---|---|---|---|")
    for name, load in (("as fast as it goes", full), ("half as fast", half)):
        print(f"| {name} | {load.rate:,.0f} | {load.p50:.1f} | {load.p99:.1f} | {load.failed} |")


async def log_rate(folder: Path, seconds: float, size: int) -> float:
    """Return how many records a second 100 writers in one process get into the event log."""
    record = Record(STREAM, STREAM, body(1), None, 1_700_000_000_000, URI)
    log = EventLog(folder / f"log-{size}.db")
    log.open()
    ends = time.perf_counter() + seconds
    written = 0

    async def write() -> None:
        nonlocal written
        while time.perf_counter() < ends:
            answers = await log.append([record] * size)
            assert all(isinstance(answer, int) for answer in answers)
            written += size

    begun = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(100)))
    rate = written / (time.perf_counter() - begun)
    log.close()
    return rate


def log(folder: Path, seconds: int) -> None:
    """Show the event log's own rate, every commit synchronised to disk."""
    print("\n| event log, 100 writers | records/s |\n|---|---|")
    for size in (1, 10):
        print(f"| {size} at a time | {asyncio.run(log_rate(folder, seconds, size)):,.0f} |")


def memory(folder: Path, events: int) -> None:
    """Show how much memory a worker has before and after so many events."""
    content = folder / "many"
    content.write_bytes(body(BATCH))
    config = write_house(folder)
    with started("sluiceway", ["null", "--config", str(config)]) as server:
        target = Target(f"{server.url}/v1/events", BATCH, content)
        assert server.pid is not None
        idle = memory_of(server.pid)
        print("\n| events so far | MiB |\n|---|---|")
        print(f"| 0 | {idle:.0f} |")
        done, shown = 0, 0
        while done < events:
            done += drive(target, server.pids, connections=4, seconds=2, core=1).events
            if done - shown >= events / 5:
                shown = done
                print(f"| {done:,} | {memory_of(server.pid):.0f} |", flush=True)
        time.sleep(25)  # freed memory is given back now and then
        print(f"| {done:,}, and a pause | {memory_of(server.pid):.0f} |")


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--events", type=int, default=1_000_000)
    args = parser.parse_args()
    find_wrk()
    with tempfile.TemporaryDirectory() as name:
        for number, work in enumerate((latency, log, memory)):
            folder = Path(name) / str(number)
            folder.mkdir()
            work(folder, args.events if work is memory else args.seconds)


if __name__ == "__main__":
    main()

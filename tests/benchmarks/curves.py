"""How cost grows: with the size of events, batches and houses, bad events, and connections.

    python -m tests.benchmarks.curves --out curves

All but the connections are measured in process, as CPU time of one thread: medians of rounds in
which the points of a curve take turns. `growth` is the power of x with which the cost of its unit
grew over the whole curve: 1 is linear.
"""

import argparse
import asyncio
import json
import math
import platform
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.config import load_settings
from app.memory import settle
from app.web.application import create_app
from tests.benchmarks.chart import draw_curves
from tests.benchmarks.events import body, event, write_house
from tests.benchmarks.instructions import Prepared, post, run_scenario
from tests.benchmarks.load import Target, drive, find_wrk
from tests.benchmarks.servers import NullSink
from tests.benchmarks.serving import started

ROUNDS = 9
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
BATCHES = (1, 3, 10, 30, 100, 300, 1_000)
COPIES = (10, 100, 1_000, 5_000)
SHARES = (0, 100, 10, 4, 2, 1)
"""One event in so many is bad; 0: none is."""
CONNECTIONS = (1, 10, 100, 1_000, 5_000)
MANY = 200


@dataclass(frozen=True, slots=True)
class Curve:
    """Costs in microseconds of `unit`, by `x`."""

    name: str
    x: str
    unit: str
    points: Sequence[tuple[float, float]]

    @property
    def growth(self) -> float:
        (x0, y0), (x1, y1) = self.points[0], self.points[-1]
        return math.log(y1 / y0) / math.log(x1 / x0) if x0 and x1 != x0 else math.nan


def change(path: Path, section: str, **values: Any) -> None:
    """Change a section of a settings' file."""
    settings = yaml.safe_load(path.read_text())
    settings[section] = settings.get(section, {}) | values
    path.write_text(yaml.safe_dump(settings))


@asynccontextmanager
async def application(copies: int = 0, cache: int | None = None) -> AsyncIterator[Any]:
    """Open the service with a sink that forgets, and so many further streams and schemas."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_house(Path(folder), copies=copies)
        if cache is not None:
            change(path, "schemas", cache_size=cache)
        app = create_app(load_settings(str(path)), sink=NullSink())
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        begun = asyncio.Event()

        async def told(_message: Any) -> None:
            begun.set()

        inbox.put_nowait({"type": "lifespan.startup"})
        serving = asyncio.create_task(app({"type": "lifespan"}, inbox.get, told))
        await begun.wait()
        settle()
        yield app
        inbox.put_nowait({"type": "lifespan.shutdown"})
        await serving


async def costs(
    app: Any, works: Mapping[float, tuple[Sequence[Prepared], int]]
) -> dict[float, float]:
    """Return the CPU time of each work's units, in microseconds."""
    seen: dict[float, list[float]] = {x: [] for x in works}
    for number in range(ROUNDS + 1):  # the first only warms up
        for x, (requests, units) in works.items():
            begun = time.thread_time()
            await run_scenario(app, requests)
            if number:
                seen[x].append((time.thread_time() - begun) / units * 1e6)
    return {x: statistics.median(values) for x, values in seen.items()}


def sized(size: int) -> bytes:
    """Return an event of about so many bytes."""
    made = event(random.Random(size))
    if size < 1_000:
        kept = ("$schema", "meta", "dt", "action", "page")
        made = {name: value for name, value in made.items() if name in kept}
        made["page"] = {"id": 1, "title": "a"}
    text = json.dumps(made, separators=(",", ":"))
    made["comment"] = "sluice " * ((size - len(text)) // 7) if size > len(text) else "a"
    return json.dumps(made, separators=(",", ":")).encode()


async def event_size() -> Curve:
    async with application() as app:
        bodies = {size: sized(size) for size in SIZES}
        repeats = {size: max(3, 200_000 // size) for size in SIZES}
        works = {
            float(len(made)): ([post(made)] * repeats[size], repeats[size])
            for size, made in bodies.items()
        }
        points = sorted((await costs(app, works)).items())
    return Curve("event size", "bytes of an event", "an event", points)


async def batch_size() -> Curve:
    async with application() as app:
        works = {
            float(count): ([post(body(count))] * max(1, 300 // count), max(1, 300 // count))
            for count in BATCHES
        }
        points = sorted((await costs(app, works)).items())
    return Curve("batch size", "events in a request", "a request", points)


def spread(copies: int) -> list[Prepared]:
    """Return single events that go round all streams."""
    rng = random.Random(copies)
    numbers = [rng.randrange(copies) for _ in range(MANY)] if copies > MANY else range(copies)
    return [
        post(json.dumps(event(rng, stream=f"bench.copy.{n}", title=f"bench/copy{n}")).encode())
        for n in numbers
    ]


async def streams_and_schemas() -> Curve:
    points = []
    for copies in COPIES:
        async with application(copies) as app:
            requests = spread(copies)
            found = await costs(app, {0.0: (requests, len(requests))})
        points.append((float(copies), found[0.0]))
    return Curve("streams and schemas", "streams, each with a schema", "an event", points)


async def cache_size() -> Curve:
    """Cost of an event that goes round 200 schemas, by how many are kept."""
    points = []
    for kept in (10, 100, 200, 2_000):
        async with application(MANY, kept) as app:
            requests = spread(MANY)
            found = await costs(app, {0.0: (requests, len(requests))})
        points.append((float(kept), found[0.0]))
    return Curve("schemas kept, of 200 in use", "schemas.cache_size", "an event", points)


async def invalid_share() -> Curve:
    async with application() as app:
        works = {}
        for share in SHARES:
            made = body(100, bad_in=share)
            status = 201 if share == 0 else 400 if share == 1 else 207
            works[100 / share if share else 0.0] = ([post(made, status)] * 3, 300)
        points = sorted((await costs(app, works)).items())
    return Curve("invalid events", "percent that are invalid, of 100", "an event", points)


async def connections() -> Curve:
    """Load a server through so many connections."""
    find_wrk()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 12_000), hard))
    points = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_house(folder)
        # Clients that wait for an answer each are queued by their number, and are to be answered.
        change(config, "http", max_queue_time=0)
        content = folder / "body"
        content.write_bytes(body(1))
        with started("sluiceway", ["null", "--config", str(config)]) as server:
            target = Target(f"{server.url}/v1/events", 1, content)
            for count in CONNECTIONS:
                load = drive(target, server.pids, connections=count, seconds=4, core=1)
                assert load.failed == 0, f"{load.failed} failed with {count} connections"
                points.append((float(count), load.cpu))
    return Curve("connections", "connections", "an event", points)


CURVES: Sequence[Callable[[], Any]] = (
    event_size,
    batch_size,
    streams_and_schemas,
    cache_size,
    invalid_share,
    connections,
)


def main() -> None:
    """Measure; print tables, write JSON and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="curves", help="where curves.json and curves.png go")
    parser.add_argument("--only", default="", help="part of a curve's name")
    args = parser.parse_args()
    found = []
    for each in CURVES:
        if args.only in each.__name__:
            curve: Curve = asyncio.run(each())
            found.append(curve)
            print(f"\n{curve.name}: microseconds for {curve.unit}; growth {curve.growth:.2f}\n")
            print(f"| {curve.x} | us |\n|---|---|")
            print("\n".join(f"| {x:,.0f} | {y:,.1f} |" for x, y in curve.points), flush=True)
    told = [
        {"name": each.name, "x": each.x, "unit": each.unit, "points": each.points} for each in found
    ]
    out = Path(args.out)
    out.with_suffix(".json").write_text(
        json.dumps({"machine": platform.platform(), "curves": told}, indent=1) + "\n"
    )
    draw_curves(found, out.with_suffix(".png"))


if __name__ == "__main__":
    main()

"""Instructions that the service needs for an event, which do not depend on the machine's mood.

    python -m tests.benchmarks.instructions --check    fail if there are over 5 % more than recorded
    python -m tests.benchmarks.instructions --accept   record how many there are now

A fixed run of requests goes in process through a connection, on a transport that leads nowhere, and
the whole application behind it, under valgrind's callgrind. What is recorded is relative to fixed
work in the same interpreter, so that another build of Python changes little.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.server import ServerState

from app import memory, service
from app.config import load_settings
from app.core.events import Delivery, Record
from app.pipeline import gate
from app.protocol import Connection, Limits
from app.web import admission
from app.web.application import create_app
from tests.benchmarks.events import body, write_house
from tests.benchmarks.records import queries
from tests.benchmarks.servers import NullSink

RECORDED = Path(__file__).parent / "instructions.json"
ALLOWED = 1.05
REFERENCE = "fixed work"
WORK = 2_000
WITH_FIXED_ADDRESSES = ("setarch", "-R")
UNITS: Mapping[str, int] = {
    "1 event": 300,
    "10 events": 500,
    "100 events": 1_000,
    "10 events, one bad": 300,
    "beacon": 300,
    "1 event, later": 300,
}
"""Events of each scenario; `later` is a sink that has to be waited for, as real ones have."""

HEAD = (
    b"%b %b HTTP/1.1\r\nhost: 127.0.0.1:8192\r\n"
    b"user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0\r\n"
)
JSON = b"content-type: application/json\r\ncontent-length: %d\r\n"

Prepared = tuple[bytes, bytes]


class LaterSink(NullSink):
    """A sink that answers when the loop comes round again."""

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery]:
        """Take records nowhere, after a while."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_soon(done.set_result, None)
        await done
        return await super().produce(records)


class Wire:
    """A transport that leads nowhere; `answers` has what was written to it."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, data: bytes) -> None:
        """Keep an answer, or a part of it."""
        self.answers.put_nowait(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Say where the client is."""
        return ("198.51.100.7", 40000) if name == "peername" else default

    def is_closing(self) -> bool:
        """Nobody closes it."""
        return False

    def pause_reading(self) -> None:
        """What is sent is there at once."""

    def resume_reading(self) -> None:
        """It was never paused."""


def post(content: bytes, status: int = 201) -> Prepared:
    """Return a request with events, and the status that it is to get."""
    return HEAD % (b"POST", b"/v1/events") + JSON % len(content) + b"\r\n" + content, b"%d" % status


def requests_of(scenario: str) -> list[Prepared]:
    """Return each request of a scenario, and the status that it is to get."""
    count = UNITS[scenario]
    if scenario == "beacon":
        return [
            (HEAD % (b"GET", b"/beacon/event?" + query) + b"\r\n", b"204")
            for query in queries(count)
        ]
    size = int(scenario.split(maxsplit=1)[0])
    bad = "bad" in scenario
    bodies = [body(size, bad_in=10 if bad else 0, seed=seed) for seed in range(count // size)]
    return [post(each, 207 if bad else 201) for each in bodies]


def connected(app: Any) -> tuple[Connection, Wire]:
    """Return a connection to an application, and its transport."""
    config = uvicorn.Config(app, log_config=None, ws="none", proxy_headers=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    connection = Connection(Limits(), config=config, server_state=state, app_state={}, _loop=loop)
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


async def run_scenario(app: Any, requests: Sequence[Prepared]) -> None:
    """Make every request of a scenario on one connection, and look at its status."""
    connection, wire = connected(app)
    for request, expected in requests:
        connection.data_received(request)
        answer = await wire.answers.get()
        assert answer.startswith(b"HTTP/1.1 %b " % expected), answer
    connection.connection_lost(ConnectionResetError())


def fixed_work() -> int:
    """Do what never changes: a mix of what an interpreter does."""
    total = 0
    for number in range(WORK):
        texts = {str(key): [key, {"key": key}] for key in range(10)}
        total += len(json.dumps(texts)) + sum(each[0] for each in texts.values()) + number
    return total


async def child(folder: str) -> None:
    """Run every scenario under callgrind, which writes a file for each.

    What goes by the clock would go by the machine's mood, and valgrind is fifty times slower.
    """
    gate.BUSY = admission.TICK = service.FLUSH_EVERY = 1e6
    settings = load_settings(str(write_house(Path(folder))))
    async with AsyncExitStack() as stack:
        now, later = [
            await stack.enter_async_context(serving(create_app(settings, sink=sink)))
            for sink in (NullSink(), LaterSink())
        ]
        memory.settle()  # as `sluiceway serve` does
        prepared = {name: (later if "later" in name else now, requests_of(name)) for name in UNITS}
        for app, requests in prepared.values():  # whatever is done once is done
            await run_scenario(app, requests)
        for app, requests in prepared.values():
            counting(on=True)
            await run_scenario(app, requests)
            counting(on=False)
        count_fixed_work()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[Any]:
    """Start an application, and stop it at the end."""
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    started = asyncio.Event()

    async def told(_message: Any) -> None:
        started.set()

    inbox.put_nowait({"type": "lifespan.startup"})
    running = asyncio.create_task(app({"type": "lifespan"}, inbox.get, told))
    await started.wait()
    yield app
    inbox.put_nowait({"type": "lifespan.shutdown"})
    await running


def count_fixed_work() -> None:
    """Count what the others are measured by, and what counting itself takes."""
    counting(on=True)
    fixed_work()
    counting(on=False)
    counting(on=True)
    counting(on=False)


def counting(*, on: bool) -> None:
    """Tell callgrind to count, or to write down what it counted and begin anew."""
    orders = ["--instr=on"] if on else ["--instr=off", "--dump"]
    for order in orders:
        subprocess.run(
            ["callgrind_control", order, str(os.getpid())], check=True, stdout=subprocess.DEVNULL
        )


def has_fixed_addresses() -> bool:
    """Say whether addresses can be had that are the same each time; some containers forbid it."""
    if shutil.which(WITH_FIXED_ADDRESSES[0]) is None:
        return False
    tried = subprocess.run([*WITH_FIXED_ADDRESSES, "true"], check=False, capture_output=True)
    return tried.returncode == 0


def measure() -> dict[str, float]:
    """Return the instructions for an event of each scenario, and for a round of fixed work."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        out = folder / "out"
        subprocess.run(
            [
                *(WITH_FIXED_ADDRESSES if has_fixed_addresses() else ()),
                *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
                f"--callgrind-out-file={out}",
                *(sys.executable, "-m", "tests.benchmarks.instructions", "--child", str(folder)),
            ],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            stderr=subprocess.DEVNULL,
        )
        names = [*UNITS, REFERENCE, "nothing"]
        counted = {name: _total(out.with_suffix(f".{n}")) for n, name in enumerate(names, start=1)}
    nothing = counted.pop("nothing")
    units = {**UNITS, REFERENCE: WORK}
    return {name: (count - nothing) / units[name] for name, count in counted.items()}


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)
    assert found, f"{file} has no total"
    return int(found[1])


def main() -> None:
    """Measure, and show, check or record it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if it became worse")
    parser.add_argument("--accept", action="store_true", help="record the figures")
    parser.add_argument("--child", metavar="DIR", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        uvloop.run(child(args.child))
        return
    if shutil.which("valgrind") is None:
        print("SKIPPED: valgrind is not installed (apt: valgrind); instructions were not counted.")
        sys.exit(1 if os.environ.get("SLUICEWAY_REQUIRE_VALGRIND") == "1" else 0)
    counted = measure()
    reference = counted.pop(REFERENCE)
    recorded = json.loads(RECORDED.read_text()) if RECORDED.is_file() else {}
    worse = []
    print(f"{'':20} instructions/event   relative   recorded")
    for name, count in counted.items():
        relative = count / reference
        before = recorded.get(name)
        print(f"{name:20} {count:18,.0f} {relative:10.3f} {before or '-':>10}")
        if before and relative > before * ALLOWED:
            worse.append(name)
    if args.accept:
        figures = {name: round(count / reference, 3) for name, count in counted.items()}
        RECORDED.write_text(json.dumps(figures, indent=2) + "\n")
    elif worse and args.check:
        print(
            f"More than 5 % worse: {', '.join(worse)}. If that is on purpose: make bench-accept",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()

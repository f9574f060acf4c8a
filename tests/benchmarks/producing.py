"""What a record into Kafka costs, in one process and without HTTP, beside aiokafka's own producer.

    python -m tests.benchmarks.producing
    python -m tests.benchmarks.producing --before ../other-tree --real

Each way of producing has a process of its own, which makes calls as the pipeline does; rounds are
interleaved. `null` forgets, so what it costs is what calling costs; `bare` is aiokafka's
`create_batch` and `send_batch`, a batch and a future for each call; `floor` is the same with one
batch for all that is there, which no service can do since its callers come one by one.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer

from app import memory
from app.core.events import Delivery, Record
from app.sinks.kafka.sink import KafkaSink
from tests.benchmarks.events import URI, body
from tests.benchmarks.servers import NullSink
from tests.benchmarks.serving import broker
from tests.kafka.mock import MockCluster

VALUES = 500
WAYS = ("null", "bare", "floor", "sink")
TOPICS = 50
Produce = Callable[[Sequence[Record]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Calls:
    """How producing is called: so many records at once, by so many callers, on so many topics."""

    name: str
    records: int
    callers: int = 64
    topics: int = 1
    keys: bool = False


SHAPES = (
    Calls("1 record", 1),
    Calls("10 records", 10),
    Calls("100 records", 100, callers=16),
    Calls("1 record, 50 topics", 1, topics=TOPICS),
    Calls("10 records, 50 topics", 10, topics=TOPICS),
    Calls("100 records, 50 topics", 100, callers=16, topics=TOPICS),
    Calls("10 records with keys", 10, keys=True),
    Calls("100 records with keys", 100, callers=16, keys=True),
)


def topic_of(number: int) -> str:
    """Return the name of a topic that is written to."""
    return f"bench.{number}"


def requests_of(calls: Calls) -> Iterator[list[Record]]:
    """Yield the records of call after call; their topics take turns, also within a call."""
    values = [json.dumps(event, separators=(",", ":")).encode() for event in _events()]
    number = 0
    while True:
        now = int(time.time() * 1000)
        records = []
        for _ in range(calls.records):
            number += 1
            topic = topic_of(number % calls.topics)
            key = b'{"session":"%05d"}' % (number * 7919 % 20_000) if calls.keys else None
            records.append(Record(topic, topic, values[number % VALUES], key, now, URI))
        yield records


async def run(produce: Produce, calls: Calls, seconds: float) -> dict[str, float]:
    """Call for so many seconds; return CPU microseconds a record and records a second."""
    loop = asyncio.get_running_loop()
    requests = requests_of(calls)
    ends = loop.time() + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        while loop.time() < ends:
            answers = await produce(next(requests))
            assert all(isinstance(answer, Delivery) for answer in answers), answers
            done += calls.records

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(calls.callers)))
    used, took = time.process_time() - cpu, time.perf_counter() - began
    return {"cpu": used / done * 1e6, "rate": done / took}


def bare(producer: AIOKafkaProducer, compute: Callable[[str], int]) -> Produce:
    """Return a produce of a batch for each topic of a call."""

    async def produce(records: Sequence[Record]) -> list[Delivery]:
        headers = [("$schema", URI.encode()), ("content-type", b"application/json")]
        batches: dict[str, Any] = {}
        for record in records:
            batch = batches.get(record.topic)
            if batch is None:
                batch = batches[record.topic] = producer.create_batch()
            batch.append(
                timestamp=record.timestamp_ms,
                key=record.key,
                value=record.value,
                headers=headers,
            )
        futures = []
        for topic, batch in batches.items():
            batch.close()
            sent = await producer.send_batch(batch, topic, partition=compute(topic))
            futures.append(sent)
        for future in futures:
            await future
        return [Delivery("acked", record.topic, 0, 0) for record in records]

    return produce


def together(produce: Produce) -> Produce:
    """Return a produce that has one call under way, with all that came during the one before."""
    waiting: list[tuple[Sequence[Record], asyncio.Future[Sequence[Delivery]]]] = []
    running: list[asyncio.Task[None]] = []

    async def drain() -> None:
        await asyncio.sleep(0.005)
        while waiting:
            taken = waiting.copy()
            waiting.clear()
            await produce([record for records, _ in taken for record in records])
            for records, told in taken:
                told.set_result([Delivery("acked", record.topic, 0, 0) for record in records])
            await asyncio.sleep(0)
        running.clear()

    async def one(records: Sequence[Record]) -> Sequence[Delivery]:
        told = asyncio.get_running_loop().create_future()
        waiting.append((records, told))
        if not running:
            running.append(asyncio.create_task(drain()))
        answers: Sequence[Delivery] = await told
        return answers

    return one


@contextmanager
def brokers(*, real: bool) -> Iterator[str]:
    """Run a broker: librdkafka's mock, which acknowledges at once and keeps nothing, or Kafka."""
    topics = [topic_of(number) for number in range(TOPICS)]
    with ExitStack() as stack:
        if real:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            bootstrap = stack.enter_context(broker(folder, topics))
            assert bootstrap, "there is no Kafka on this machine"
            yield bootstrap
            return
        mock = stack.enter_context(MockCluster(1))
        for topic in topics:
            mock.create_topic(topic)
        yield mock.bootstrap


async def child(way: str, bootstrap: str, compression: str) -> None:
    """Run what is asked for on the standard input, line by line, and answer each."""
    sink: Any = None
    producer = None
    if way == "sink":
        compress: Any = compression
        sink = KafkaSink([bootstrap], compression=compress)
        await sink.start()
        produce = sink.produce
    elif way == "null":
        produce = NullSink().produce
    else:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            compression_type=None if compression == "none" else compression,
            max_batch_size=2**23,
            max_request_size=2**25,
        )
        await producer.start()
        produce = bare(producer, lambda _topic: 0)
        if way == "floor":
            produce = together(produce)
    memory.settle()  # as `sluiceway serve` does
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        told = await run(produce, Calls(**asked["calls"]), asked["seconds"])
        print(json.dumps(told), flush=True)
    if sink is not None:
        await sink.stop(1)
    if producer is not None:
        await producer.stop()


@contextmanager
def started(
    way: str, bootstrap: str, compression: str, tree: Path
) -> Iterator[Callable[[Calls, float], Any]]:
    """Start a process that produces in one way, with the code of a tree; yield how to ask it."""
    arguments = ["--child", way, "--bootstrap", bootstrap, "--compression", compression]
    with subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-P", __file__, *arguments],
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask(calls: Calls, seconds: float) -> Any:
            assert process.stdin is not None
            assert process.stdout is not None
            print(
                json.dumps({"calls": asdict(calls), "seconds": seconds}),
                file=process.stdin,
                flush=True,
            )
            return json.loads(process.stdout.readline())

        yield ask


def measure(args: argparse.Namespace) -> None:
    """Run every shape in every way, round by round, and show medians."""
    here = Path(__file__).parents[2]
    shapes = [shape for shape in SHAPES if not args.only or shape.name in args.only.split(";")]
    with ExitStack() as stack:
        bootstrap = stack.enter_context(brokers(real=args.real))
        ways = {
            way: stack.enter_context(started(way, bootstrap, args.compression, here))
            for way in args.ways.split(",")
        }
        if args.before:
            old = started("sink", bootstrap, args.compression, Path(args.before).resolve())
            ways["before"] = stack.enter_context(old)
        figures: dict[tuple[str, str], list[Any]] = {}
        for number in range(args.rounds + 1):  # the first only warms everybody up
            for shape in shapes:
                for way, ask in ways.items():
                    told = ask(shape, args.seconds if number else 0.5)
                    if number:
                        figures.setdefault((shape.name, way), []).append(told)
    print("| us/record (thousand records/s) | " + " | ".join(ways) + " |")
    print("|---" * (len(ways) + 1) + "|")
    for shape in shapes:
        cells = []
        for way in ways:
            rows = figures[shape.name, way]
            cpu = statistics.median(row["cpu"] for row in rows)
            rate = statistics.median(row["rate"] for row in rows)
            cells.append(f"{cpu:.1f} ({rate / 1e3:.0f})")
        print(f"| {shape.name} | " + " | ".join(cells) + " |")


def _events() -> Any:
    return json.loads(body(VALUES))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="shapes, separated by semicolons")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--compression", default="zstd")
    parser.add_argument("--before", metavar="TREE", help="another version of the code, beside")
    parser.add_argument("--real", action="store_true", help="with a real Kafka, not the mock")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--bootstrap", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        uvloop.run(child(args.child, args.bootstrap, args.compression))
    else:
        measure(args)


if __name__ == "__main__":
    main()

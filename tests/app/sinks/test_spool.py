import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import (
    ConfigError,
    EventTooLarge,
    InternalFailure,
    Overloaded,
    SinkUnavailable,
    TopicUnavailable,
    UnknownDelivery,
)
from app.core.events import Delivery
from app.sinks.base import Health
from app.sinks.memory import MemorySink
from app.sinks.spool import SpoolSink
from app.spooling.spool import Spool
from tests.app.sinks.contract import SinkContract, record, records

ROOT = Path(__file__).parents[3]
DOWN = SinkUnavailable("Kafka is down.")


async def eventually(condition, seconds=20.0):
    """Wait until a condition holds, with a bound."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "it did not happen"
        await asyncio.sleep(0.002)


def failing(*numbers, failure=DOWN):
    """Answer for records of these numbers, or for all."""

    def answer(r):
        return failure if not numbers or json.loads(r.value)["number"] in numbers else None

    return answer


def numbers(sink, stream=None):
    return [
        json.loads(r.value)["number"] for r in sink.records if stream is None or r.stream == stream
    ]


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", destination="test", min_free=0)


@pytest.fixture
def inner():
    return MemorySink()


@pytest.fixture
async def sink(inner, spool):
    sink = SpoolSink(inner, spool, retry=0.02)
    await sink.start()
    yield sink
    await sink.stop(5)


class TestSpoolSink(SinkContract):
    durable = False

    @pytest.fixture
    def made(self):
        return []

    @pytest.fixture
    def make(self, made, tmp_path):
        def make():
            made.append(MemorySink())
            spool = Spool(tmp_path / "spool", destination="test", min_free=0)
            return SpoolSink(made[-1], spool, retry=0.02)

        return make

    @pytest.fixture
    def stored(self, made):
        return lambda: [r.value for r in made[-1].records]


@pytest.mark.parametrize(
    "failure",
    [
        DOWN,
        Overloaded("There is no room."),
        UnknownDelivery("No answer."),
        InternalFailure("A defect."),
    ],
)
async def test_what_cannot_be_written_now_is_spooled_and_written_later(sink, inner, failure):
    inner.answer = failing(failure=failure)

    answers = await sink.produce(records(3))

    assert answers == [Delivery("spooled", "dc.my.stream", -1, n) for n in (1, 2, 3)]
    inner.answer = None
    await eventually(lambda: sink.spool.state().records == 0)
    assert inner.records == records(3)


@pytest.mark.parametrize(
    "failure", [EventTooLarge("It is too large."), TopicUnavailable("There is no such topic.")]
)
async def test_what_only_a_person_can_mend_is_told_at_once(sink, inner, failure):
    inner.answer = failing(1, failure=failure)

    answers = await sink.produce(records(3))

    assert answers[1] is failure
    assert [a.durability for a in answers[::2]] == ["acked", "acked"]
    assert sink.spool.state().spooled_total == 0


async def test_only_what_failed_of_a_call_is_spooled(sink, inner):
    inner.answer = failing(1)

    answers = await sink.produce(records(3))

    assert [a.durability for a in answers] == ["acked", "spooled", "acked"]


async def test_a_stream_that_waits_does_not_overtake_itself_and_holds_up_no_other(sink, inner):
    inner.health = Health(ok=False, detail="Kafka is down.")
    inner.answer = failing(0)
    await sink.produce([record(0)])
    inner.answer = None

    answers = await sink.produce([record(1), record(2, stream="other"), record(3)])

    assert [a.durability for a in answers] == ["spooled", "acked", "spooled"]
    inner.health = Health(ok=True)
    await eventually(lambda: sink.spool.state().records == 0)
    assert numbers(inner) == [2, 0, 1, 3]


async def test_a_drained_stream_is_written_directly_again(sink, inner):
    inner.answer = failing()
    await sink.produce([record(0)])
    inner.answer = None
    await eventually(lambda: sink.spool.state().records == 0)

    answers = await sink.produce([record(1)])

    assert answers[0].durability == "acked"
    assert numbers(inner) == [0, 1]


class Distant(MemorySink):
    """Takes its time, as brokers do."""

    async def produce(self, records):
        await asyncio.sleep(0.005)
        return await super().produce(records)


async def test_a_stream_under_steady_load_leaves_the_spool_all_the_same(tmp_path):
    inner = Distant(answer=failing())
    sink = SpoolSink(inner, Spool(tmp_path, destination="test", min_free=0), retry=0.02)
    await sink.start()
    await sink.produce(records(1000))
    inner.answer = None
    told = Counter()
    sent = 1000

    async def sender():
        nonlocal sent
        while not told["acked"]:
            sent += 1
            for answer in await sink.produce([record(sent)]):
                told[answer.durability] += 1

    await asyncio.wait_for(asyncio.gather(*[sender() for _ in range(20)]), 20)

    waiting = sink.spool.state().records
    await sink.stop(5)
    assert waiting == 0
    assert numbers(inner)[:1000] == list(range(1000))
    assert sorted(numbers(inner)) == [*range(1000), *range(1001, sent + 1)]


async def test_one_stream_that_hangs_stops_no_other(tmp_path):
    hold = asyncio.Event()

    class Sticky(MemorySink):
        down = True

        async def produce(self, records):
            if self.down:
                return [DOWN] * len(records)
            if any(r.stream.startswith("stuck") for r in records):
                await hold.wait()
            return await super().produce(records)

    inner = Sticky()
    sink = SpoolSink(inner, Spool(tmp_path, destination="test", min_free=0), retry=0.02)
    await sink.start()
    stuck = [record(n, stream=f"stuck{n}") for n in range(7)]
    free = [record(n, stream=f"free{n % 20}") for n in range(2000)]
    await sink.produce([*stuck, *free])

    inner.down = False

    await eventually(lambda: sink.spool.state().records == len(stuck))
    assert len(inner.records) == 2000
    hold.set()
    await eventually(lambda: sink.spool.state().records == 0)
    await sink.stop(5)


async def test_many_streams_that_fail_slowly_stop_no_other(tmp_path):
    class Slow(MemorySink):
        down = True

        async def produce(self, records):
            if self.down:
                return [DOWN] * len(records)
            if records[0].stream.startswith("missing"):
                await asyncio.sleep(0.02)
                return [TopicUnavailable("There is no such topic.")] * len(records)
            return await super().produce(records)

    inner = Slow()
    sink = SpoolSink(inner, Spool(tmp_path, destination="test", min_free=0), retry=0.02)
    await sink.start()
    missing = [record(n, stream=f"missing{n}") for n in range(40)]
    free = [record(n, stream=f"there{n % 5}") for n in range(2000)]
    await sink.produce([*missing, *free])

    inner.down = False

    await eventually(lambda: sink.spool.state().records == len(missing))
    await sink.stop(5)
    assert {r.stream for r in inner.records} == {f"there{n}" for n in range(5)}


async def test_what_the_sink_will_never_take_is_kept_apart_and_counted(sink, inner, caplog):
    inner.answer = failing()
    await sink.produce(records(6))
    inner.answer = failing(1, 4, failure=EventTooLarge("The broker takes at most 1 MiB."))

    await eventually(lambda: sink.spool.state().records == 0)

    state = sink.spool.state()
    assert numbers(inner) == [0, 2, 3, 5]
    assert state.dropped == {"refused": 2, "corrupt": 0, "lost": 0}
    assert (state.spooled_total, state.drained_total) == (6, 4)
    complaints = [r for r in caplog.records if r.levelname == "ERROR"]
    assert [(r.reason, r.detail) for r in complaints] == [
        ("too_large", "The broker takes at most 1 MiB.")
    ]


async def test_a_full_spool_answers_what_the_sink_had_answered(tmp_path, inner):
    sink = SpoolSink(
        inner, Spool(tmp_path, destination="test", max_bytes=1500, min_free=0), retry=0.02
    )
    await sink.start()
    unknown = UnknownDelivery("No answer.")
    inner.health = Health(ok=False, detail="Kafka is down.")
    inner.answer = failing(failure=unknown)
    answers = await sink.produce(records(20))

    directly = await sink.produce([record(20, value=b"x" * 1000)])
    other = await sink.produce(
        [record(21, stream="other", value=b'{"number":21%s}' % (b" " * 999))]
    )

    health = await sink.healthy()
    await sink.stop(5)
    kept = [a for a in answers if isinstance(a, Delivery)]
    assert 0 < len(kept) < 20
    assert answers == kept + [unknown] * (20 - len(kept))
    assert [type(a) for a in directly] == [Overloaded]
    assert "full" in str(directly[0])
    assert other == [unknown]
    assert health.ok  # a small one still fits
    assert sink.spool.state().records == len(kept)


class UnsureDisk(sqlite3.Connection):
    """A connection whose disk does not say whether it has written."""

    def execute(self, sql, *args):
        if sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(sql, *args)


async def test_a_spool_that_may_have_taken_a_record_makes_its_delivery_unknown(tmp_path):
    inner = MemorySink(answer=failing())
    spool = Spool(tmp_path, destination="test", min_free=0, factory=UnsureDisk)
    sink = SpoolSink(inner, spool)
    await sink.start()

    answers = await sink.produce([record()])

    await sink.stop(5)
    assert [type(a) for a in answers] == [UnknownDelivery]


async def test_health_is_that_of_the_sink_until_only_the_spool_takes_events(sink, inner):
    well = await sink.healthy()
    inner.health = Health(ok=False, detail="Kafka does not answer.")
    inner.answer = failing()
    await sink.produce(records(2))

    spooling = await sink.healthy()

    assert well == Health(ok=True)
    assert spooling == Health(
        ok=True, detail="Kafka does not answer. Events are spooled (2 waiting)."
    )


async def test_nothing_takes_events_when_the_spool_does_not_either(tmp_path, inner):
    sink = SpoolSink(inner, Spool(tmp_path, destination="test", min_free=2**60))
    await sink.start()
    inner.health = Health(ok=False, detail="Kafka does not answer.")
    inner.answer = failing()

    answers = await sink.produce([record()])

    health = await sink.healthy()
    await sink.stop(5)
    assert answers == [DOWN]
    assert not health.ok
    assert "min_free" in health.detail


async def test_a_restart_goes_on_with_what_was_spooled(tmp_path):
    before = MemorySink(answer=failing())
    sink = SpoolSink(before, Spool(tmp_path, destination="test", min_free=0), retry=0.02)
    await sink.start()
    await sink.produce(records(5))
    await sink.stop(5)
    after = MemorySink()
    sink = SpoolSink(after, Spool(tmp_path, destination="test", min_free=0), retry=0.02)

    await sink.start()

    answers = await sink.produce([record(5)])
    await eventually(lambda: len(after.records) == 6)
    await sink.stop(5)
    assert isinstance(answers[0], Delivery)
    assert numbers(after) == [0, 1, 2, 3, 4, 5]


async def test_stopping_spools_what_the_sink_gives_up(tmp_path):
    class Hanging(MemorySink):
        def __init__(self):
            super().__init__(hold=asyncio.Event())

        async def produce(self, records):
            await self.hold.wait()
            return [DOWN] * len(records)

        async def stop(self, grace):
            self.hold.set()

    sink = SpoolSink(Hanging(), Spool(tmp_path, destination="test", min_free=0))
    await sink.start()
    calls = [asyncio.create_task(sink.produce(records(2, n * 2))) for n in range(10)]
    await asyncio.sleep(0)

    await sink.stop(3)

    answers = [answer for call in calls for answer in await call]
    assert {a.durability for a in answers} == {"spooled"}
    assert len(answers) == 20


async def test_a_stop_is_bounded_when_the_sink_hangs_in_everything(tmp_path, caplog):
    class Stuck(MemorySink):
        async def produce(self, records):
            if not self.hold.is_set():
                await asyncio.Event().wait()
            return [DOWN] * len(records)

        async def stop(self, grace):
            await asyncio.Event().wait()

    hold = asyncio.Event()
    hold.set()
    sink = SpoolSink(Stuck(hold=hold), Spool(tmp_path, destination="test", min_free=0), retry=0.01)
    await sink.start()
    await sink.produce(records(3))
    hold.clear()  # the drain hangs from now on, and so does this call
    call = asyncio.create_task(sink.produce([record(stream="other")]))
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await sink.stop(1)

    assert loop.time() - begun < 2.5
    assert "neither written nor spooled" in caplog.text
    call.cancel()
    again = Spool(tmp_path, destination="test", min_free=0)
    await again.open()
    assert again.state().records == 3
    await again.close(1)


async def test_two_lanes_share_a_spool_and_one_drains_it(tmp_path):
    spool = Spool(tmp_path, destination="test", min_free=0)
    first, second = MemorySink(answer=failing()), MemorySink(answer=failing())
    lanes = [
        SpoolSink(first, spool, retry=0.02),
        SpoolSink(second, spool, drains=False, retry=0.02),
    ]
    for lane in lanes:
        await lane.start()
    await lanes[1].produce([record(0)])

    behind = await lanes[0].produce([record(1)])

    first.answer = None
    await eventually(lambda: spool.state().records == 0)
    for lane in reversed(lanes):
        await lane.stop(5)
    assert behind[0].durability == "spooled"
    assert numbers(first) == [0, 1]
    assert numbers(second) == []


async def test_what_another_process_leaves_behind_is_taken_over_and_drained(tmp_path):
    before, during = (Spool(tmp_path, destination="test", min_free=0) for _ in range(2))
    await before.open()
    await before.append(records(2))
    await during.open()
    await during.append([record(9, stream="other")])
    await before.close(1)
    inner = MemorySink()
    spool = Spool(tmp_path, destination="test", min_free=0)
    sink = SpoolSink(inner, spool, retry=0.02, adopt_every=0.02)

    await sink.start()
    answers = await sink.produce([record(2)])
    await eventually(lambda: len(inner.records) == 3)
    await during.close(1)

    await eventually(lambda: len(inner.records) == 4)
    await eventually(lambda: len(list(tmp_path.glob("*.db"))) == 1)
    await sink.stop(5)
    assert isinstance(answers[0], Delivery)
    assert numbers(inner) == [0, 1, 2, 9]


async def test_a_sink_that_cannot_start_leaves_the_spool_to_others(tmp_path):
    class Wrong(MemorySink):
        async def start(self):
            raise ConfigError("kafka.bootstrap_servers is wrong.")

    with pytest.raises(ConfigError, match="bootstrap_servers"):
        await SpoolSink(Wrong(), Spool(tmp_path, destination="test")).start()

    spool = Spool(tmp_path, destination="test")
    await spool.open()
    await spool.close(1)
    assert [path.name for path in tmp_path.glob("*.db")] == ["spool-0.db"]


async def test_a_cancelled_caller_leaves_no_trace_in_what_is_counted(sink, inner):
    inner.health = Health(ok=False)
    inner.answer = failing()
    await sink.produce([record(0)])
    calls = [asyncio.create_task(sink.produce([record(n)])) for n in range(1, 20)]
    await asyncio.sleep(0)

    for call in calls[::2]:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)

    inner.answer = None
    inner.health = Health(ok=True)
    await eventually(lambda: not sink.spool.holds("my.stream"))
    assert set(numbers(inner)) >= {0, *range(2, 20, 2)}
    assert len(numbers(inner)) == len(set(numbers(inner)))
    assert (await sink.produce([record(99)]))[0].durability == "acked"


class Scripted(MemorySink):
    """Fails as its script says, call by call: (which record of each stream is the first, how)."""

    def __init__(self, script):
        super().__init__()
        self.script = list(script)
        self.late = []

    async def produce(self, records):
        await asyncio.sleep(0)
        step = self.script.pop(0) if self.script else None
        if step is None:
            self.records += self.late
            self.late = []
            return await super().produce(records)
        first, how = step
        answers = []
        seen = Counter()
        for r in records:
            seen[r.stream] += 1
            if seen[r.stream] <= first:
                answers += await super().produce([r])
                continue
            if how == "stored":
                self.records.append(r)
            elif how == "late":
                self.late.append(r)
            answers.append(DOWN if how == "down" else UnknownDelivery("No answer."))
        return answers


_SCRIPTS = st.lists(
    st.none()
    | st.tuples(st.integers(0, 3), st.sampled_from(["down", "unknown", "stored", "late"])),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(script=_SCRIPTS, senders=st.integers(1, 6), seed=st.integers(0, 2**16))
def test_who_waits_for_each_answer_finds_all_its_events_in_order(script, senders, seed):
    rng = random.Random(seed)

    async def sender(sink, name):
        """Sends, each after the answer to the one before; returns what it was told of each."""
        told = []
        number = 0
        for _ in range(12):
            stream = rng.choice(["a", "b"])
            batch = []
            for _ in range(rng.choice([1, 1, 2, 5])):
                number += 1
                batch.append(record(name * 1000 + number, stream=stream))
            told += zip(batch, await sink.produce(batch), strict=True)
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
        return told

    async def journey(folder):
        inner = Scripted(script)
        sink = SpoolSink(inner, Spool(folder, destination="test", min_free=0), retry=0.003)
        await sink.start()
        told = await asyncio.gather(*[sender(sink, name) for name in range(senders)])
        await eventually(lambda: sink.spool.state().records == 0)
        await sink.stop(5)
        return told, inner

    with tempfile.TemporaryDirectory() as folder:
        told, inner = asyncio.run(journey(folder))

    firsts = list(dict.fromkeys(r.value for r in inner.records))
    for name, each in enumerate(told):
        assert all(isinstance(answer, Delivery) for _, answer in each)
        for stream in ("a", "b"):
            own = [r.value for r, _ in each if r.stream == stream]
            values = set(own)
            assert [value for value in firsts if value in values] == own, name


# Spools and drains, over and over, and prints what it was told, until it is killed.
WORKER = """
import asyncio, os, random, sys
from app.core.errors import SinkUnavailable
from app.core.events import Delivery
from app.sinks.memory import MemorySink
from app.sinks.spool import SpoolSink
from app.spooling.spool import Spool
from tests.app.sinks.contract import record

class Inner(MemorySink):
    up = False

    async def produce(self, records):
        if not self.up:
            return [SinkUnavailable("down")] * len(records)
        await asyncio.sleep(0)
        os.write(out, b"".join(r.value + b"\\n" for r in records))
        return [Delivery("acked", r.topic, 0, 0) for r in records]

async def main(folder, start):
    inner = Inner()
    sink = SpoolSink(inner, Spool(folder, destination="test", min_free=0), retry=0.01)
    await sink.start()
    async def sender(name):
        for n in range(100000):
            number = start + name * 10**5 + n
            answer = (await sink.produce([record(number, stream=f"s{name % 4}")]))[0]
            print(number if isinstance(answer, Delivery) else answer, flush=True)
    async def flicker():
        while True:
            await asyncio.sleep(0.03)
            inner.up = not inner.up
    await asyncio.gather(flicker(), *[sender(name) for name in range(8)])

out = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
asyncio.run(main(sys.argv[1], int(sys.argv[3])))
"""


def told_until_killed(folder, out, start):
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(out), str(start)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as worker:
        told = [int(worker.stdout.readline()) for _ in range(700)]
        worker.send_signal(signal.SIGKILL)
        return told + [int(line) for line in worker.stdout.read().split("\n")[:-1]]


@pytest.mark.slow
async def test_nothing_told_is_missing_after_kill_9_in_the_midst_of_all_this(tmp_path):
    folder, out = tmp_path / "spool", tmp_path / "out"
    told = [n for turn in range(4) for n in told_until_killed(folder, out, turn * 10**6)]
    inner = MemorySink(max_records=10**6)
    sink = SpoolSink(inner, Spool(folder, destination="test", min_free=0), retry=0.01)

    await sink.start()

    await eventually(lambda: sink.spool.state().records == 0)
    state = sink.spool.state()
    await sink.stop(5)
    produced = [json.loads(line)["number"] for line in out.read_text().split()] + numbers(inner)
    assert set(told) <= set(produced)
    assert state.dropped == {"refused": 0, "corrupt": 0, "lost": 0}
    firsts = list(dict.fromkeys(produced))
    for turn in range(4):
        for name in range(8):
            low = turn * 10**6 + name * 10**5
            own = [n for n in firsts if low <= n < low + 10**5]
            assert own == sorted(own)

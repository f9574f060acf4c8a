import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.core.errors import (
    ConfigError,
    InternalFailure,
    Overloaded,
    SinkUnavailable,
    UnknownDelivery,
)
from app.spooling.file import SpoolFile
from app.spooling.spool import Spool
from app.spooling.table import Refused
from tests.app.sinks.contract import record, records
from tests.support import Clock

ROOT = Path(__file__).parents[2]

WORKER = """
import asyncio, sys
from app.spooling.spool import Spool
from tests.app.sinks.contract import record

async def main(folder, start):
    spool = Spool(folder, destination="test", min_free=0)
    await spool.open()
    async def sender(name):
        for n in range(10**4):
            number = start + name * 10**4 + n
            answer = (await spool.append([record(number)]))[0]
            print(number if isinstance(answer, int) else answer, flush=True)
    await asyncio.gather(*[sender(name) for name in range(10)])

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@asynccontextmanager
async def opened(folder, **options):
    spool = Spool(folder, **({"destination": "test", "min_free": 0} | options))
    await spool.open()
    try:
        yield spool
    finally:
        await spool.close(5)


def start_worker(folder, start):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(start)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def abandoned(folder, number, kept, destination="test", refused=0):
    """Leave a file as a process does that has ended."""
    file = SpoolFile.open(folder / f"spool-{number}.db", destination=destination)
    file.append(kept)
    rows = file.read("my.stream", max_records=10, max_bytes=2**30)[:refused]
    file.settle("my.stream", [], [Refused(row, "too_large", "Too large.") for row in rows])
    file.close()


async def drained(spool, stream="my.stream"):
    """Take all of a stream, in the order of draining."""
    found = []
    while chunk := await spool.read(stream, max_records=100, max_bytes=2**20):
        found += [row.record for row in chunk.rows]
        await spool.settle(chunk, chunk.rows)
    return found


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix in {".db", ".lock"})


async def test_what_is_appended_waits_in_order_and_is_counted(tmp_path):
    async with opened(tmp_path / "new" / "folder") as spool:
        answers = await asyncio.gather(*[spool.append(records(2, n * 2)) for n in range(50)])

        state = spool.state()
        found = await drained(spool)

        assert sorted(a for each in answers for a in each) == list(range(1, 101))
        assert (state.records, state.spooled_total, state.drained_total) == (100, 100, 0)
        assert state.bytes > 100 * len(record().value)
        assert found == records(100)
        after = spool.state()
        assert (after.records, after.bytes, after.drained_total) == (0, 0, 100)


async def test_a_stream_is_held_from_the_call_on_until_its_last_record_is_settled(tmp_path):
    async with opened(tmp_path) as spool:
        before = spool.holds("my.stream")

        coming = spool.append(records(2))

        held_at_once = spool.holds("my.stream")
        await coming
        held_after = spool.holds("my.stream")
        await drained(spool)
        assert (before, held_at_once, held_after) == (False, True, True)
        assert not spool.holds("my.stream")
        assert not spool.holds("other")


async def test_a_refused_record_does_not_hold_its_stream(tmp_path):
    async with opened(tmp_path, max_bytes=10) as spool:
        answers = await spool.append([record()])

        assert [type(a) for a in answers] == [Overloaded]
        assert not spool.holds("my.stream")


async def test_a_cancelled_callers_records_are_kept_all_the_same(tmp_path):
    async with opened(tmp_path) as spool:
        task = asyncio.ensure_future(spool.append([record(1)]))
        await asyncio.sleep(0)

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await spool.append([record(2)])
        assert await drained(spool) == [record(1), record(2)]


async def test_a_full_spool_says_so_and_takes_records_again_when_drained(tmp_path, caplog):
    async with opened(tmp_path, max_bytes=2000) as spool:
        answers = await spool.append(records(20))
        big = await spool.append([record(21, value=b"x" * 1900)])
        trouble = spool.trouble
        await drained(spool)

        after = await spool.append([record(30)])

        kept = sum(isinstance(a, int) for a in answers)
        assert 5 < kept < 20
        assert {type(a) for a in [*answers[kept:], *big]} == {Overloaded}
        assert "is full" in str(big[0])
        assert "Kafka is back" in str(big[0])
        assert trouble == ""
        assert isinstance(after[0], int)
        assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]


async def test_a_spool_without_room_for_one_more_is_in_trouble(tmp_path):
    async with opened(tmp_path, max_bytes=1000) as spool:
        await spool.append([record(value=b"x" * (1000 - 128))])

        assert "is full (1000 bytes)" in spool.trouble


async def test_a_stream_that_waits_for_too_long_takes_no_more_and_loses_nothing(tmp_path):
    clock = Clock(1_700_000_000.0)
    async with opened(tmp_path, max_age=3600, clock=clock) as spool:
        await spool.append(records(2))
        clock.now += 3601

        late = await spool.append([record(2), record(3, stream="other")])

        state = spool.state()
        assert isinstance(late[0], Overloaded)
        assert "my.stream" in str(late[0])
        assert isinstance(late[1], int)
        assert (state.records, state.oldest_age_seconds) == (3, 3601)
        assert await drained(spool) == records(2)
        assert isinstance((await spool.append([record(4)]))[0], int)


async def test_a_disk_with_little_room_is_left_to_others(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    async with opened(tmp_path, min_free=free * 2) as spool:
        answers = await spool.append([record()])

        assert [type(a) for a in answers] == [SinkUnavailable]
        assert "spool.min_free" in str(answers[0])
        assert "spool.min_free" in spool.trouble
        assert spool.state().records == 0


class SmallDisk(sqlite3.Connection):
    """A connection whose file may not grow."""

    def execute(self, sql, *args):
        if sql == "BEGIN IMMEDIATE":
            super().execute("PRAGMA max_page_count = 12")
        return super().execute(sql, *args)


async def test_a_full_disk_is_survived(tmp_path):
    async with opened(tmp_path, factory=SmallDisk) as spool:
        refused = await spool.append([record(value=b"x" * 10**6)])
        trouble = spool.trouble

        taken = await spool.append([record(1)])

        assert [type(a) for a in refused] == [SinkUnavailable]
        assert "full" in trouble
        assert isinstance(taken[0], int)
        assert spool.trouble == ""
        assert await drained(spool) == [record(1)]


async def test_a_record_that_cannot_be_kept_does_not_harm_its_neighbours(tmp_path, caplog):
    async with opened(tmp_path) as spool:
        answers = await spool.append([record(1), record(2, topic="\ud800"), record(3)])

        assert [type(a) for a in answers] == [int, InternalFailure, int]
        assert await drained(spool) == [record(1), record(3)]


class SlowCommit(sqlite3.Connection):
    """A connection whose COMMITs wait until the test's `Gate` is open."""

    gate = None

    def execute(self, sql, *args):
        if sql == "COMMIT" and self.gate:
            self.gate.wait(20)
        return super().execute(sql, *args)


async def test_a_disk_that_hangs_is_answered_for_in_time(tmp_path, monkeypatch):
    loop = asyncio.get_running_loop()
    async with opened(tmp_path, factory=SlowCommit, timeout=0.1) as spool:
        gate = asyncio.Event()
        monkeypatch.setattr(SlowCommit, "gate", _Gate(gate, loop))

        answers = await spool.append([record()])

        gate.set()
        assert [type(a) for a in answers] == [UnknownDelivery]


class _Gate:
    def __init__(self, event, loop):
        self.event = event
        self.loop = loop

    def wait(self, seconds):
        asyncio.run_coroutine_threadsafe(self.event.wait(), self.loop).result(seconds)


async def test_each_of_two_has_a_file_of_its_own(tmp_path):
    async with opened(tmp_path) as one, opened(tmp_path) as two:
        await one.append([record(1)])
        await two.append([record(2)])

        await one.adopt()
        await two.adopt()

        assert names(tmp_path) == ["spool-0.db", "spool-0.lock", "spool-1.db", "spool-1.lock"]
        assert await drained(one) == [record(1)]
        assert await drained(two) == [record(2)]


async def test_who_opens_it_twice_must_close_it_twice(tmp_path):
    async with opened(tmp_path) as spool:
        await spool.open()
        await spool.close(1)

        answers = await spool.append([record()])

        assert isinstance(answers[0], int)


async def test_a_successor_takes_the_file_of_one_that_has_ended(tmp_path):
    async with opened(tmp_path) as spool:
        await spool.append(records(3))

    async with opened(tmp_path) as spool:
        await spool.append([record(3)])

        assert spool.state().records == 4
        assert await drained(spool) == records(4)
    assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]


async def test_files_that_nobody_has_are_drained_first_and_removed(tmp_path, caplog):
    abandoned(tmp_path, 1, records(2))
    abandoned(tmp_path, 5, [record(7, stream="other")])
    async with opened(tmp_path) as spool:
        await spool.adopt()
        held = spool.holds("my.stream"), spool.holds("other")
        await spool.append([record(2)])

        found = await drained(spool)

        assert held == (True, True)
        assert found == records(3)
        await spool.adopt()
        assert names(tmp_path) == ["spool-0.db", "spool-0.lock", "spool-5.db", "spool-5.lock"]
        assert await drained(spool, "other") == [record(7, stream="other")]
        await spool.adopt()
        assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]
        assert spool.state().adopted == 2
    assert "taken over" in caplog.text


async def test_what_was_refused_of_an_adopted_file_is_not_thrown_away(tmp_path):
    abandoned(tmp_path, 3, records(5), refused=2)
    async with opened(tmp_path) as spool:
        await spool.adopt()
        await drained(spool)

        await spool.adopt()

    db = sqlite3.connect(tmp_path / "spool-0.db")
    kept = db.execute("SELECT value, reason, sentence FROM refused").fetchall()
    db.close()
    assert kept == [(record(n).value, "too_large", "Too large.") for n in range(2)]
    assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]


async def test_an_empty_file_that_nobody_has_is_removed(tmp_path):
    abandoned(tmp_path, 4, [])
    async with opened(tmp_path) as spool:
        await spool.adopt()

        assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]
        assert spool.state().adopted == 0


async def test_files_for_elsewhere_are_passed_over(tmp_path, caplog):
    abandoned(tmp_path, 0, records(2), destination="the other cluster")
    async with opened(tmp_path) as spool:
        await spool.adopt()
        await spool.adopt()

        await spool.append([record(9)])

        assert await drained(spool) == [record(9)]
        assert names(tmp_path) == ["spool-0.db", "spool-0.lock", "spool-1.db", "spool-1.lock"]
    warnings = [r for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "the other cluster" in warnings[0].why


async def test_damaged_files_are_counted_when_they_are_adopted(tmp_path):
    abandoned(tmp_path, 2, records(5))
    (tmp_path / "spool-2.db").write_bytes(b"")
    async with opened(tmp_path) as spool:
        await spool.adopt()

        assert spool.state().dropped == {"refused": 0, "corrupt": 0, "lost": 5}
        assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]


async def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"spool\.folder"):
        await Spool(tmp_path / "file" / "spool", destination="test").open()


async def test_a_spool_that_is_not_open_holds_nothing(tmp_path):
    spool = Spool(tmp_path, destination="test")

    assert not spool.holds("my.stream")
    assert spool.state().records == 0
    assert "closed" in spool.trouble


@pytest.mark.slow
async def test_what_killed_workers_were_told_is_taken_over_by_another(tmp_path):
    workers = [start_worker(tmp_path, n * 10**6) for n in range(2)]
    told = [int(worker.stdout.readline()) for worker in workers]  # both have a file now
    for worker in workers:
        with worker:
            told += [int(worker.stdout.readline()) for _ in range(1000)]
            worker.send_signal(signal.SIGKILL)
            told += [int(line) for line in worker.stdout.read().split("\n")[:-1]]

    async with opened(tmp_path) as spool:
        await spool.adopt()
        state = spool.state()
        found = await drained(spool)
        await spool.adopt()

    numbers = [r.timestamp_ms - 1_700_000_000_000 for r in found]
    assert state.adopted == 1
    assert not any(state.dropped.values())
    assert len(numbers) == len(set(numbers))
    assert set(told) <= set(numbers)
    assert names(tmp_path) == ["spool-0.db", "spool-0.lock"]

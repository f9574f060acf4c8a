import asyncio
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InternalFailure, SinkUnavailable, UnknownDelivery
from app.eventlog import EventLog
from tests.app.sinks.contract import record, records

ROOT = Path(__file__).parents[2]

# Appends until it is killed; prints the number of each event once it was told as stored.
WRITER = """
import asyncio, sys
from app.eventlog import EventLog
from tests.app.sinks.contract import record

async def main(path, name, batches):
    log = EventLog(path)
    log.open()
    async def task(task):
        for turn in range(batches):
            numbers = [name * 10**6 + task * 10**4 + turn * 3 + n for n in range(3)]
            answers = await log.append([record(number) for number in numbers])
            for number, answer in zip(numbers, answers):
                print(number if isinstance(answer, int) else answer, flush=True)
    await asyncio.gather(*[task(n) for n in range(20)])
    log.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


@pytest.fixture
def opened(path):
    logs = []

    def opened(**options):
        log = EventLog(path, **options)
        logs.append(log)
        log.open()
        return log

    yield opened
    for log in logs:
        log.close()


def start_writer(path, name, batches):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(name), str(batches)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def numbers(path):
    return [json.loads(event.value)["number"] for event in EventLog(path).read()]


async def test_all_of_an_event_is_read_back(opened):
    log = opened()
    kept = record(1, key=b'{"id":1}')

    offsets = await log.append([kept, record(2)])

    first, second = log.read()
    assert list(offsets) == [1, 2]
    assert first[:5] == (1, kept.topic, kept.stream, b'{"id":1}', kept.timestamp_ms)
    assert first[6:] == (kept.schema_uri, kept.value)
    assert second.key is None


async def test_many_tasks_share_few_commits(opened):
    log = opened()

    offsets = await asyncio.gather(*[log.append(records(2, n * 2)) for n in range(500)])

    assert sorted(o for each in offsets for o in each) == list(range(1, 1001))
    assert 1 <= log.commits <= 50


async def test_the_offset_told_is_committed(opened, path):
    log = opened()

    offset = (await log.append([record(5)]))[0]

    with closing(sqlite3.connect(path)) as other:
        found = other.execute("SELECT value FROM events WHERE offset = ?", (offset,)).fetchone()
    assert found == (record(5).value,)


async def test_offsets_of_deleted_events_are_not_given_again(opened, path):
    log = opened()
    await log.append(records(3))
    with closing(sqlite3.connect(path)) as other:
        other.execute("DELETE FROM events")
        other.commit()

    offsets = await log.append([record(4)])

    assert list(offsets) == [4]


async def test_offsets_go_beyond_32_bits(opened, path):
    log = opened()
    await log.append([record(1)])
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE sqlite_sequence SET seq = ?", (2**40,))
        other.commit()

    offsets = await log.append(records(200))

    assert list(offsets) == list(range(2**40 + 1, 2**40 + 201))
    assert [event.offset for event in log.read(after=2**40 + 198)] == [2**40 + 199, 2**40 + 200]


async def test_a_record_that_cannot_be_kept_does_not_harm_its_neighbours(opened, caplog):
    log = opened()
    too_large_a_time = record(2, timestamp_ms=2**63)
    half_a_pair = record(3, topic="\ud800")

    answers = await asyncio.gather(
        log.append([record(1), too_large_a_time]), log.append([half_a_pair, record(4)])
    )

    assert [[type(a) for a in each] for each in answers] == [
        [int, InternalFailure],
        [InternalFailure, int],
    ]
    assert [event.value for event in log.read()] == [record(1).value, record(4).value]
    assert caplog.records


class SmallDisk(sqlite3.Connection):
    """A connection whose file may not grow."""

    room = 8

    def execute(self, sql, *args):
        if sql == "BEGIN IMMEDIATE":
            super().execute(f"PRAGMA max_page_count = {self.room}")
        return super().execute(sql, *args)


async def test_a_full_disk_refuses_a_group_and_takes_one_that_fits(opened):
    log = opened(factory=SmallDisk)
    big = record(value=b'"%b"' % (b"x" * 500_000))

    refused = await asyncio.gather(log.append([big]), log.append([record(1)]))
    trouble = log.trouble
    taken = await log.append([record(2)])

    assert {type(a) for each in refused for a in each} <= {SinkUnavailable, int}
    assert type(refused[0][0]) is SinkUnavailable
    assert "full" in str(refused[0][0])
    assert "full" in trouble
    assert isinstance(taken[0], int)
    assert log.trouble == ""
    assert big.value not in [event.value for event in log.read()]
    assert record(2).value in [event.value for event in log.read()]


async def test_a_file_that_may_not_grow_refuses_a_group_and_goes_on_when_it_may(opened):
    log = opened()
    before = await log.append([record(1)])
    big = b'"%b"' % (b"x" * 3_000_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        refused = await log.append([record(2, value=big), record(3)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    after = await log.append([record(4), record(5, value=big)])

    log.close()
    assert [type(a) for a in refused] == [SinkUnavailable] * 2
    assert [*before, *after] == [1, 2, 3]
    assert [event.value for event in log.read()] == [record(1).value, record(4).value, big]


_COUNT = "SELECT count(*) FROM events"


class FailingCommit(sqlite3.Connection):
    """A connection whose next COMMITs fail with the codes in `codes`."""

    codes: ClassVar[list[int]]

    def execute(self, sql, *args):
        if sql == "COMMIT" and self.codes and self.execute(_COUNT).fetchone()[0]:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.codes.pop()
            raise error
        return super().execute(sql, *args)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (sqlite3.SQLITE_FULL, SinkUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, SinkUnavailable),
        (sqlite3.SQLITE_IOERR_FSYNC, UnknownDelivery),
        (sqlite3.SQLITE_IOERR, UnknownDelivery),
    ],
)
async def test_a_failed_commit_is_told_as_what_it_is_and_the_next_succeeds(opened, code, answer):
    class Connection(FailingCommit):
        codes: ClassVar = [code]

    log = opened(factory=Connection)

    refused = await log.append(records(2))
    taken = await log.append([record(7)])

    assert [type(a) for a in refused] == [answer] * 2
    assert [event.value for event in log.read()] == [record(7).value]
    assert list(taken) == [1]


async def test_a_write_waits_for_another_process_to_finish_its_own(opened, path):
    log = opened()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(log.append([record(1)]))
        await asyncio.sleep(0)
        assert not waiting.done()

        other.execute("COMMIT")

    assert list(await waiting) == [1]


async def test_a_removed_file_is_not_written_to_unseen(opened, path):
    log = opened()
    await log.append([record(1)])
    path.rename(path.with_suffix(".moved"))

    answers = await log.append([record(2)])

    assert [type(a) for a in answers] == [SinkUnavailable]
    assert "restart" in log.trouble


async def test_closing_gives_up_waiting_for_a_lock_when_the_grace_is_over(opened, path):
    log = opened(lock_timeout=60)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(log.append([record(1)]))
        await asyncio.sleep(0)

        await asyncio.to_thread(log.close, 0.05)

    assert [type(a) for a in await waiting] == [SinkUnavailable]
    assert list(log.read()) == []


_RECORDS = st.builds(
    record,
    stream=st.sampled_from(["a", "b", "c.d", "Ünï"]),
    topic=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    value=st.binary(max_size=200),
    key=st.none() | st.binary(max_size=20),
    timestamp_ms=st.integers(-(2**63), 2**63 - 1),
    schema_uri=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(_RECORDS, max_size=150), max_size=4))
def test_what_is_appended_is_read_back_equal_and_in_order(batches):
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder) / "events.db")
        log.open()
        for batch in batches:
            asyncio.run(log.append(batch))
        log.close()
        expected = [r for batch in batches for r in batch]

        def read(**options):
            return [
                record(
                    stream=e.stream,
                    topic=e.topic,
                    value=e.value,
                    key=e.key,
                    timestamp_ms=e.timestamp_ms,
                    schema_uri=e.schema_uri,
                )
                for e in log.read(**options)
            ]

        assert read() == expected
        for stream in ("a", "b", "c.d", "Ünï"):
            assert read(stream=stream) == [r for r in expected if r.stream == stream]
        assert sum(count.events for count in log.counts()) == len(expected)


@pytest.mark.slow
def test_processes_that_share_a_file_keep_everything(path):
    writers = [start_writer(path, name, 100) for name in (1, 2, 3)]

    outputs = [writer.communicate(timeout=60)[0].split() for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0, 0]
    told = [int(number) for output in outputs for number in output]
    assert len(told) == 3 * 20 * 100 * 3
    stored = numbers(path)
    assert sorted(stored) == sorted(told)
    for name in (1, 2, 3):  # the order of each task is kept, whatever others did
        for task in range(20):
            own = [number for number in stored if number // 10**4 == name * 100 + task]
            assert own == sorted(own)


@pytest.mark.slow
def test_what_was_told_survives_kill_9(path):
    with start_writer(path, 1, 3000) as writer:
        told = [int(writer.stdout.readline()) for _ in range(5000)]
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")[:-1]  # after the last line feed: a cut number

    told += [int(number) for number in rest]
    stored = numbers(path)
    assert writer.returncode == -signal.SIGKILL
    assert len(stored) == len(set(stored))
    assert set(told) <= set(stored)

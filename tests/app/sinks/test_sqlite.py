import asyncio
import sqlite3
from contextlib import closing

import pytest

from app.core.errors import ConfigError, Overloaded, SinkUnavailable
from app.core.events import Delivery
from app.eventlog import EventLog
from app.sinks.sqlite import SqliteSink
from tests.app.sinks.contract import SinkContract, record, records


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


class TestSqliteSink(SinkContract):
    @pytest.fixture
    def make(self, path):
        return lambda: SqliteSink(path)

    @pytest.fixture
    def stored(self, path):
        return lambda: [event.value for event in EventLog(path).read()]


async def test_the_offset_told_is_the_offset_in_the_log(path):
    sink = SqliteSink(path)
    await sink.start()

    answers = await sink.produce([record(1), record(2)])

    await sink.stop(5)
    assert answers == [
        Delivery("acked", "dc.my.stream", 0, 1),
        Delivery("acked", "dc.my.stream", 0, 2),
    ]
    assert [event.offset for event in EventLog(path).read()] == [1, 2]


async def test_a_locked_file_is_answered_unavailable_and_shows_in_the_health(path):
    sink = SqliteSink(path, lock_timeout=0.05)
    await sink.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = await sink.produce(records(2))
        health = await sink.healthy()
        other.execute("ROLLBACK")

    again = await sink.produce([record(9)])
    healthy_again = await sink.healthy()

    await sink.stop(5)
    assert [type(answer) for answer in answers] == [SinkUnavailable] * 2
    assert "locked" in str(answers[0])
    assert not health.ok
    assert "locked" in health.detail
    assert isinstance(again[0], Delivery)
    assert healthy_again.ok
    assert [event.value for event in EventLog(path).read()] == [record(9).value]


async def test_more_than_may_wait_is_refused_at_once(path):
    sink = SqliteSink(path, max_pending_bytes=10_000, lock_timeout=5)
    await sink.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.create_task(sink.produce(records(5, n * 10))) for n in range(3)]
        await asyncio.sleep(0)

        refused = await sink.produce(records(5, 90))

        other.execute("ROLLBACK")
    answers = await asyncio.gather(*waiting)
    await sink.stop(5)
    assert [type(answer) for answer in refused] == [Overloaded] * 5
    assert all(isinstance(answer, Delivery) for each in answers for answer in each)
    assert len(list(EventLog(path).read())) == 15


async def test_a_stopped_sink_answers_that_it_is_closed(path):
    sink = SqliteSink(path)
    await sink.start()
    await sink.stop(5)

    answers = await sink.produce([record()])

    assert [type(answer) for answer in answers] == [SinkUnavailable]
    assert not (await sink.healthy()).ok


async def test_a_place_that_cannot_be_written_refuses_the_start(tmp_path):
    sink = SqliteSink(tmp_path / "no" / "such" / "events.db")

    with pytest.raises(ConfigError, match="no folder"):
        await sink.start()

    await sink.stop(1)

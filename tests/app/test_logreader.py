import asyncio

import pytest

from app.core.errors import ConfigError
from app.eventlog import EventLog
from app.logreader import LogReader
from tests.app.sinks.contract import record


@pytest.fixture
def log(tmp_path):
    log = EventLog(tmp_path / "events.db")
    log.open()
    yield log
    log.close()


def append(log, batch):
    return asyncio.run(log.append(batch))


def numbered(events):
    return [event.offset for event in events]


@pytest.fixture
def mixed(log):
    """1,200 events: every third in stream b, the others in a."""
    append(log, [record(n, stream="b" if n % 3 == 0 else "a") for n in range(1, 1201)])
    return log


def test_events_come_in_the_order_of_their_offsets(mixed):
    assert numbered(mixed.read()) == list(range(1, 1201))


def test_reading_starts_after_an_offset_and_ends_at_a_limit(mixed):
    assert numbered(mixed.read(after=600, limit=3)) == [601, 602, 603]
    assert numbered(mixed.read(after=1, limit=1000)) == list(range(2, 1002))
    assert numbered(mixed.read(limit=0)) == []
    assert numbered(mixed.read(after=1200)) == []


def test_one_stream_or_several_are_chosen_by_name(mixed):
    assert numbered(mixed.read(stream="b")) == list(range(3, 1201, 3))
    assert numbered(mixed.read(after=5, stream=["a"], limit=3)) == [7, 8, 10]
    assert numbered(mixed.read(stream=["a", "b"])) == list(range(1, 1201))
    assert numbered(mixed.read(stream="c")) == []


def test_the_last_events_of_a_stream_are_found(mixed):
    assert mixed.before_last(10) == 1190
    assert numbered(mixed.read(mixed.before_last(2, "b"), "b")) == [1197, 1200]
    assert mixed.before_last(5000) == 0
    assert mixed.before_last(3, "c") == 0


def test_streams_are_counted(mixed):
    counts = mixed.counts()

    assert [(c.stream, c.events, c.last_offset) for c in counts] == [
        ("a", 800, 1199),
        ("b", 400, 1200),
    ]
    assert all(c.last_stored_ms > 1_700_000_000_000 for c in counts)


def test_what_is_stored_while_someone_reads_is_read_too(log):
    append(log, [record(1)])
    events = LogReader(log.path).read()
    first = next(events)
    append(log, [record(2)])

    assert [first.value, *(event.value for event in events)] == [record(1).value, record(2).value]


def test_large_events_are_not_gathered_in_memory(log):
    megabyte = b'"%b"' % (b"x" * 1_000_000)
    append(log, [record(n, value=megabyte) for n in range(12)])

    assert numbered(log.read()) == list(range(1, 13))
    assert numbered(log.read(limit=7)) == list(range(1, 8))


def test_a_slow_reader_holds_no_transaction(log):
    append(log, [record(n) for n in range(600)])
    events = log.read()
    next(events)

    busy, *_ = log._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert busy == 0
    events.close()


def test_a_log_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="no event log"):
        next(LogReader(tmp_path / "none.db").read())

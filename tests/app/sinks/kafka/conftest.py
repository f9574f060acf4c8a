"""What tests of the Kafka sink's parts share: records, entries, and a call that waits for them."""

import pytest

from app.core.events import Record
from app.sinks.kafka.accumulator import Accumulator, Call, Entry


def record(number=0, *, topic="t", key=None, size=10, timestamp_ms=1_700_000_000_000):
    value = b'{"n":%d}' % number
    return Record("s", topic, value.ljust(size), key, timestamp_ms, "/my/schema/1.0.0")


def entry(call, position, *, deadline=100.0, size=10, **facts):
    return Entry(record(position, **facts), call, position, size, 1_700_000_000_000, deadline)


@pytest.fixture
def entries():
    """Make a call of so many records; return it and its entries."""

    def entries(count, **facts):
        call = Call(count)
        return call, [entry(call, position, **facts) for position in range(count)]

    return entries


@pytest.fixture
def accumulator():
    def accumulator(**changes):
        facts = {
            "max_bytes": 10_000,
            "max_records": 1_000,
            "batch_bytes": 100,
            "linger": 1.0,
            "timeout": 7.0,
        }
        return Accumulator(**(facts | changes))

    return accumulator

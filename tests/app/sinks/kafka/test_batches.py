import os

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import Record
from app.sinks.kafka.accumulator import Batch, Entry, Identity
from app.sinks.kafka.batches import COMPRESSIONS, encoded, halves, without


def entries(values, key=None):
    return [
        Entry(Record("s", "t", value, key, 1, "/a/b/1.0.0"), None, place, 1, 1000 + place, 9.0)
        for place, value in enumerate(values)
    ]


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("content", [b"x" * 300, os.urandom(300)])
def test_every_compression_reads_back_equal(name, content):
    batch = Batch(entries([content, b"{}"], key=b'{"k":1}'))

    read = DefaultRecordBatch(encoded(batch, COMPRESSIONS[name]))

    assert read.validate_crc()
    records = list(read)
    assert [record.value for record in records] == [content, b"{}"]
    assert {record.key for record in records} == {b'{"k":1}'}
    assert [record.timestamp for record in records] == [1000, 1001]
    assert records[0].headers == [("$schema", b"/a/b/1.0.0"), ("content-type", b"application/json")]


def test_a_numbered_batch_says_who_sends_it_and_where_it_stands():
    batch = Batch(entries([b"1", b"2"]), identity=Identity(77, 3), sequence=41)

    read = DefaultRecordBatch(encoded(batch, 0))

    assert (read.producer_id, read.producer_epoch, read.base_sequence) == (77, 3, 41)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=40))
def test_whatever_json_holds_reads_back_equal(values):
    read = DefaultRecordBatch(encoded(Batch(entries(values)), COMPRESSIONS["zstd"]))

    assert [record.value for record in read] == values


@given(st.integers(2, 50))
def test_halves_have_the_same_records_in_order(count):
    many = entries([b"%d" % n for n in range(count)])

    first, second = halves(Batch(many))

    assert first.entries + second.entries == many
    assert abs(len(first.entries) - len(second.entries)) <= 1


def test_what_is_left_without_some_records_keeps_its_order():
    many = entries([b"a", b"b", b"c", b"d"])

    (rest,) = without(Batch(many), [many[0], many[2]])

    assert [entry.record.value for entry in rest.entries] == [b"b", b"d"]
    assert without(Batch(many), many) == []

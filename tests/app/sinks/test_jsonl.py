import json
import resource
from pathlib import Path

import pytest

from app.core.errors import ConfigError, SinkUnavailable
from app.core.events import Delivery
from app.sinks.jsonl import JsonlSink
from tests.app.sinks.contract import SinkContract, record, records


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def lines(path):
    text = path.read_bytes() if path.exists() else b""
    assert not text or text.endswith(b"\n")
    return text.split(b"\n")[:-1]


class TestJsonlFile(SinkContract):
    @pytest.fixture
    def make(self, path):
        return lambda: JsonlSink(path)

    @pytest.fixture
    def stored(self, path):
        return lambda: lines(path)


class TestJsonlFileWithoutSync(TestJsonlFile):
    @pytest.fixture
    def make(self, path):
        return lambda: JsonlSink(path, fsync=False)


class TestJsonlEnvelope(TestJsonlFile):
    @pytest.fixture
    def make(self, path):
        return lambda: JsonlSink(path, envelope=True)

    @pytest.fixture
    def stored(self, path):
        def value_of(line):
            json.loads(line)
            return line[line.index(b',"value":') + 9 : -1]

        return lambda: [value_of(line) for line in lines(path)]


class TestJsonlStandardOutput(SinkContract):
    @pytest.fixture
    def make(self):
        return lambda: JsonlSink("-")

    @pytest.fixture
    def stored(self, capfdbinary):
        return lambda: capfdbinary.readouterr().out.split(b"\n")[:-1]


async def produced(sink, batch):
    await sink.start()
    try:
        return await sink.produce(batch)
    finally:
        await sink.stop(5)


async def test_the_offset_is_where_the_line_begins(path):
    answers = await produced(JsonlSink(path), [record(number) for number in (5, 50, 500)])

    text = path.read_bytes()
    for number, answer in zip((5, 50, 500), answers, strict=True):
        assert text[answer.offset :].startswith(record(number).value + b"\n")


async def test_an_envelope_tells_topic_key_and_time(path):
    sink = JsonlSink(path, envelope=True)

    await produced(sink, [record(7, key=b'{"id":1}'), record(8, topic='odd "topic"')])

    assert [json.loads(line) for line in lines(path)] == [
        {
            "topic": "dc.my.stream",
            "key": {"id": 1},
            "timestamp": 1_700_000_000_007,
            "value": {"number": 7},
        },
        {
            "topic": 'odd "topic"',
            "key": None,
            "timestamp": 1_700_000_000_008,
            "value": {"number": 8},
        },
    ]


async def test_an_event_written_over_several_lines_takes_one(path):
    await produced(JsonlSink(path), [record(value=b'{\n  "a": 1\n}'), record(2)])

    assert lines(path) == [b'{   "a": 1 }', record(2).value]


async def test_a_tail_torn_by_a_crash_is_ended_at_the_start(path):
    path.write_bytes(b'{"number":0}\n{"numb')

    await produced(JsonlSink(path), [record(1)])

    assert lines(path) == [record(0).value, b'{"numb', record(1).value]


async def test_a_tail_torn_by_another_process_meanwhile_is_ended_before_the_next_record(path):
    sink = JsonlSink(path)
    await sink.start()
    await sink.produce([record(0)])
    with path.open("ab") as other:
        other.write(b'{"numb')

    await sink.produce([record(1)])

    await sink.stop(5)
    assert lines(path) == [record(0).value, b'{"numb', record(1).value]


async def test_a_renamed_file_is_begun_anew(path):
    sink = JsonlSink(path)
    await sink.start()
    await sink.produce([record(0)])
    path.rename(path.with_suffix(".1"))

    await sink.produce([record(1)])

    await sink.stop(5)
    assert lines(path.with_suffix(".1")) == [record(0).value]
    assert lines(path) == [record(1).value]


async def test_a_full_disk_leaves_no_part_of_a_record_and_is_told(path):
    sink = JsonlSink(path)
    await sink.start()
    before = await sink.produce([record(1)])
    big = record(2, value=b'{"text":"%b"}' % (b"x" * 2_000_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        refused = await sink.produce([big, record(3)])
        health = await sink.healthy()
        small = await sink.produce([record(4)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    after = await sink.produce([record(5)])

    await sink.stop(5)
    assert [type(answer) for answer in refused] == [SinkUnavailable] * 2
    assert not health.ok
    assert str(path) in health.detail
    assert [type(a[0]) for a in (before, small, after)] == [Delivery] * 3
    assert lines(path) == [record(n).value for n in (1, 4, 5)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
async def test_a_device_that_is_full_is_answered_unavailable():
    answers = await produced(JsonlSink("/dev/full"), records(2))

    assert [type(answer) for answer in answers] == [SinkUnavailable] * 2


async def test_a_folder_that_is_not_there_refuses_the_start(tmp_path):
    sink = JsonlSink(tmp_path / "none" / "events.jsonl")

    with pytest.raises(ConfigError, match=r"cannot be written: No such file .* sink\.path"):
        await sink.start()

    await sink.stop(1)


def test_the_target_names_the_place(path):
    assert JsonlSink(path).target == f"jsonl {path}"
    assert JsonlSink("-").target == "jsonl standard output"

import asyncio

import pytest

from app.core.errors import SinkUnavailable
from app.core.events import Delivery
from app.sinks.base import Health
from app.sinks.memory import MemorySink
from tests.app.sinks.contract import SinkContract, record, records


class TestMemorySink(SinkContract):
    durable = False

    @pytest.fixture
    def made(self):
        return []

    @pytest.fixture
    def make(self, made):
        def make():
            made.append(MemorySink())
            return made[-1]

        return make

    @pytest.fixture
    def stored(self, made):
        return lambda: [r.value for r in made[-1].records]


async def test_only_the_newest_records_are_kept():
    sink = MemorySink(max_records=3)

    await sink.produce(records(2))
    answers = await sink.produce(records(5, start=2))

    assert sink.records == records(3, start=4)
    assert [answer.offset for answer in answers] == [3, 4, 5, 6, 7]


async def test_a_failure_is_answered_and_nothing_kept_of_it():
    failure = SinkUnavailable("The disk is full.")
    sink = MemorySink(answer=lambda r: failure if r.value == record(1).value else None)

    answers = await sink.produce(records(3))

    assert answers == [
        Delivery("acked", "dc.my.stream", 0, 1),
        failure,
        Delivery("acked", "dc.my.stream", 0, 2),
    ]
    assert sink.records == [record(0), record(2)]


async def test_a_test_can_say_where_a_record_came_to_rest():
    spooled = Delivery("spooled", "dc.my.stream", 7, 8)
    sink = MemorySink(answer=lambda _: spooled)

    answers = await sink.produce([record()])

    assert answers == [spooled]
    assert sink.records == [record()]


async def test_a_held_sink_answers_when_it_is_let_go():
    hold = asyncio.Event()
    sink = MemorySink(hold=hold)
    task = asyncio.create_task(sink.produce([record()]))
    await asyncio.sleep(0)
    before = list(sink.records)

    hold.set()
    await task

    assert before == []
    assert sink.records == [record()]


async def test_health_is_what_the_test_says():
    sink = MemorySink()

    sink.health = Health(ok=False, detail="Broken on purpose.")

    assert not (await sink.healthy()).ok

"""What every sink must do: one suite, inherited by the tests of each sink.

A subclass gives the fixture `make`, a function that returns a new, unstarted sink, always on the
same place, and `stored`, a function that returns the values kept there, in order.
"""

import asyncio
import json

from app.core.events import Delivery, Record

TOPICS = ("one.topic", "another.topic")


def record(number: int = 0, **changes) -> Record:
    facts = {
        "stream": "my.stream",
        "topic": "dc.my.stream",
        "value": b'{"number":%d}' % number,
        "key": None,
        "timestamp_ms": 1_700_000_000_000 + number,
        "schema_uri": "/my/schema/1.0.0",
    }
    return Record(**(facts | changes))


def records(count: int, start: int = 0) -> list[Record]:
    return [record(number) for number in range(start, start + count)]


class SinkContract:
    durable = True  # whether a second sink on the same place finds what the first one wrote

    async def test_every_record_is_answered_in_order(self, make, stored):
        sink = make()
        await sink.start()
        batch = [record(number, topic=TOPICS[number % 2]) for number in range(300)]

        answers = await sink.produce(batch)

        await sink.stop(5)
        assert all(isinstance(answer, Delivery) for answer in answers)
        assert [answer.topic for answer in answers] == [r.topic for r in batch]
        assert {(answer.durability, answer.partition) for answer in answers} == {("acked", 0)}
        offsets = [answer.offset for answer in answers]
        assert offsets == sorted(set(offsets))
        assert stored() == [r.value for r in batch]

    async def test_nothing_is_answered_with_nothing(self, make, stored):
        sink = make()
        await sink.start()

        answers = await sink.produce([])

        await sink.stop(5)
        assert list(answers) == []
        assert stored() == []

    async def test_a_hundred_tasks_at_once_lose_nothing_and_keep_each_batch_in_order(
        self, make, stored
    ):
        sink = make()
        await sink.start()

        async def writer(task):
            answers = []
            for turn in range(5):
                start = task * 1000 + turn * 10
                answers += await sink.produce(records(3, start))
            return answers

        answers = await asyncio.gather(*[writer(task) for task in range(100)])

        await sink.stop(5)
        offsets = [answer.offset for each in answers for answer in each]
        assert len(set(offsets)) == len(offsets) == 1500
        numbers = [json.loads(value)["number"] for value in stored()]
        assert sorted(numbers) == sorted(
            task * 1000 + turn * 10 + n
            for task in range(100)
            for turn in range(5)
            for n in (0, 1, 2)
        )
        for task in range(100):
            own = [number for number in numbers if number // 1000 == task]
            assert own == sorted(own)

    async def test_a_cancelled_caller_harms_no_other(self, make, stored):
        sink = make()
        await sink.start()
        tasks = [asyncio.create_task(sink.produce(records(4, n * 10))) for n in range(20)]
        await asyncio.sleep(0)

        for task in tasks[::2]:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)

        after = await sink.produce([record(999)])
        await sink.stop(5)
        assert all(isinstance(answer, Delivery) for each in ended[1::2] for answer in each)
        assert isinstance(after[0], Delivery)
        values = stored()
        assert len(values) == len(set(values))
        assert {r.value for n in range(1, 20, 2) for r in records(4, n * 10)} < set(values)
        assert values[-1] == record(999).value

    async def test_a_record_of_a_mebibyte_is_kept_whole(self, make, stored):
        big = b'{"text":"%b"}' % (b"x" * 1024 * 1024)
        sink = make()
        await sink.start()

        await sink.produce([record(1), record(2, value=big), record(3)])

        await sink.stop(5)
        assert stored() == [record(1).value, big, record(3).value]

    async def test_every_byte_that_json_may_hold_is_kept(self, make, stored):
        values = [
            json.dumps({"text": text}, ensure_ascii=ascii_only).encode()
            for text in ("\x00\x01\x1b\n\r\x7f", "\x85\u2028\u2029", "naïve 中文 🦊", '"\\/')
            for ascii_only in (True, False)
        ]
        sink = make()
        await sink.start()

        await sink.produce([record(value=value, key=b'{"k":"\xc2\x85"}') for value in values])

        await sink.stop(5)
        assert stored() == values

    async def test_a_started_sink_is_healthy(self, make):
        sink = make()
        await sink.start()

        health = await sink.healthy()

        await sink.stop(5)
        assert health.ok
        assert sink.target

    async def test_what_was_taken_before_the_stop_is_written(self, make, stored):
        sink = make()
        await sink.start()
        tasks = [asyncio.create_task(sink.produce(records(10, n * 10))) for n in range(50)]
        await asyncio.sleep(0)

        await sink.stop(5)

        answers = await asyncio.gather(*tasks)
        assert all(isinstance(answer, Delivery) for each in answers for answer in each)
        assert len(stored()) == 500

    async def test_a_restart_keeps_what_was_written(self, make, stored):
        for number in range(3):
            sink = make()
            await sink.start()
            await sink.produce([record(number)])
            await sink.stop(5)

        if self.durable:
            assert stored() == [record(number).value for number in range(3)]
        else:
            assert stored() == [record(2).value]

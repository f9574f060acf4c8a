import asyncio
import threading

import pytest

from app.core.errors import InternalFailure, Overloaded, SinkUnavailable, UnknownDelivery
from app.groupwriter import GroupWriter
from tests.app.sinks.contract import record, records
from tests.support import Clock


class Disk:
    """Writes to a list; can be held in the middle of a write."""

    def __init__(self):
        self.groups = []
        self.fails = None
        self.begun = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def write(self, group):
        self.begun.set()
        self.free.wait()
        if self.fails:
            raise self.fails
        self.groups.append(group)
        return [f"written {r.value.decode()}" for r in group]


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def writer(disk, clock):
    writer = GroupWriter(
        disk.write, name="The disk", max_bytes=100_000, max_records=20, timeout=7, clock=clock
    )
    writer.start()
    yield writer
    disk.free.set()
    writer.close(5)


async def held(disk, writer):
    """Let one record be in the middle of its write; return its task."""
    disk.free.clear()
    task = asyncio.create_task(writer.add([record(0)]))
    await asyncio.to_thread(disk.begun.wait)
    return task


def told(number):
    return "written " + record(number).value.decode()


async def test_what_gathers_during_a_write_is_written_as_one_group(disk, writer):
    first = await held(disk, writer)
    others = [asyncio.create_task(writer.add([record(n)])) for n in range(1, 6)]
    await asyncio.sleep(0)

    disk.free.set()
    answers = await asyncio.gather(first, *others)

    assert [len(group) for group in disk.groups] == [1, 5]
    assert answers == [[told(n)] for n in range(6)]


async def test_more_records_than_may_wait_are_refused_at_once(disk, writer):
    first = await held(disk, writer)
    others = asyncio.create_task(writer.add(records(19, 1)))
    await asyncio.sleep(0)

    refused = await writer.add([record(99)])

    disk.free.set()
    await asyncio.gather(first, others)
    assert [type(answer) for answer in refused] == [Overloaded]
    assert (await writer.add([record(100)])) == [told(100)]


async def test_more_bytes_than_may_wait_are_refused_at_once(disk, writer):
    first = await held(disk, writer)

    refused = await writer.add([record(value=b"x" * 100_000)])

    disk.free.set()
    await first
    assert [type(answer) for answer in refused] == [Overloaded]


async def test_the_queue_is_as_long_as_its_oldest_batch_has_waited(disk, writer, clock):
    writing = await held(disk, writer)
    assert writer.queue_time == 0  # what is being written waits no more
    clock.now += 1
    waiting = [asyncio.create_task(writer.add(records(1)))]
    await asyncio.sleep(0)
    clock.now += 2
    waiting.append(asyncio.create_task(writer.add(records(1))))
    await asyncio.sleep(0)

    long = writer.queue_time
    disk.free.set()
    await asyncio.gather(writing, *waiting)

    assert long == 2
    assert writer.queue_time == 0


async def test_a_batch_beyond_the_bound_is_taken_when_nothing_waits(writer):
    answers = await writer.add(records(50))

    assert answers == [told(n) for n in range(50)]


async def test_a_failure_is_the_answer_to_all_of_its_group_and_the_next_group_is_written(
    disk, writer, caplog
):
    disk.fails = SinkUnavailable("The disk is full.")
    refused = await writer.add(records(2))
    trouble = writer.trouble
    disk.fails = None

    written = await writer.add([record(3)])

    assert [type(answer) for answer in refused] == [SinkUnavailable] * 2
    assert trouble == "The disk is full."
    assert written == [told(3)]
    assert writer.trouble == ""
    assert [r.message for r in caplog.records] == [
        "Events cannot be written.",
        "Events can be written again.",
    ]


async def test_a_defect_is_answered_logged_and_survived(disk, writer, caplog):
    disk.fails = ZeroDivisionError("a defect")
    refused = await writer.add([record(1)])
    disk.fails = None

    written = await writer.add([record(2)])

    assert [type(answer) for answer in refused] == [InternalFailure]
    assert caplog.records[0].exc_info
    assert written == [told(2)]


async def test_an_old_failure_says_nothing_about_now(disk, writer, clock):
    disk.fails = SinkUnavailable("The disk is full.")
    await writer.add([record(1)])

    clock.now = 11.0

    assert writer.trouble == ""


async def test_whoever_waits_too_long_is_told_what_is_known(disk, writer, clock):
    first = await held(disk, writer)
    second = asyncio.create_task(writer.add([record(1)]))
    await asyncio.sleep(0)

    clock.now = 8.0
    writer.expire()
    answers = [await first, await second]

    disk.free.set()
    assert [type(each[0]) for each in answers] == [UnknownDelivery, SinkUnavailable]
    assert (await writer.add([record(2)])) == [told(2)]
    assert [r for group in disk.groups for r in group] == [record(0), record(2)]


async def test_closing_writes_what_waits(disk, writer):
    first = await held(disk, writer)
    second = asyncio.create_task(writer.add([record(1)]))
    await asyncio.sleep(0)
    disk.free.set()

    ended = await asyncio.to_thread(writer.close, 5)

    assert ended
    assert (await first, await second) == ([told(0)], [told(1)])


async def test_what_the_grace_does_not_suffice_for_is_refused(disk, writer):
    first = await held(disk, writer)
    second = asyncio.create_task(writer.add([record(1)]))
    await asyncio.sleep(0)

    ended = await asyncio.to_thread(writer.close, 0.01)

    assert not ended
    assert writer.out_of_time.is_set()
    assert type((await first)[0]) is UnknownDelivery
    assert type((await second)[0]) is SinkUnavailable
    disk.free.set()


async def test_a_closed_writer_refuses(writer):
    await asyncio.to_thread(writer.close, 5)

    answers = await writer.add([record()])

    assert [type(answer) for answer in answers] == [SinkUnavailable]
    assert writer.trouble == "The disk is closed."


def test_tasks_of_several_event_loops_are_all_told(disk, writer):
    answers = {}

    def thread(number):
        async def tasks():
            batches = [writer.add([record(number * 10 + n)]) for n in range(3)]
            return await asyncio.gather(*batches)

        answers[number] = asyncio.run(tasks())

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert answers == {number: [[told(number * 10 + n)] for n in range(3)] for number in range(4)}


async def test_an_event_loop_that_is_gone_harms_no_other(disk, writer):
    disk.free.clear()

    async def left():
        waiting = asyncio.create_task(writer.add([record(1)]))
        await asyncio.to_thread(disk.begun.wait)
        waiting.cancel()

    await asyncio.to_thread(asyncio.run, left())
    other = asyncio.create_task(writer.add([record(2)]))
    await asyncio.sleep(0)
    disk.free.set()

    assert (await other) == [told(2)]
    assert disk.groups == [[record(1)], [record(2)]]

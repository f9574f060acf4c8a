import asyncio
import json
import logging

import pytest

from app.consuming import intake as module
from app.consuming.batch import Batch
from app.consuming.lines import Line
from app.core.errors import SinkUnavailable, UnknownDelivery
from app.core.events import Delivery
from legacy.formats import LineFormat
from tests.app.consuming.conftest import line, text_of
from tests.support import until

ERRORS = "sluiceway.error"


def revisions(sink):
    events = [json.loads(r.value) for r in sink.records if r.stream != ERRORS]
    return [event["revision"] for event in events]


def errors(sink):
    return [json.loads(record.value) for record in sink.records if record.stream == ERRORS]


class Failing:
    """Says no to records for a number of times, by what their values hold."""

    def __init__(self, times, *wanted, answer=None):
        self.times = times
        self.wanted = wanted
        self.answer = answer or SinkUnavailable("It is away.", hint="Wait.")

    def __call__(self, record):
        if self.times and any(text in record.value for text in self.wanted):
            self.times -= 1
            return self.answer
        return None


async def test_lines_are_stored_in_order_and_bad_ones_told_of(intake):
    batch = Batch([line(1), Line(b"junk", "line", 2), line(3, button=5), line(4)])

    async with intake() as opened:
        await opened.take(batch)

        assert revisions(opened.sink) == [1, 4]
        assert [each["reason"] for each in errors(opened.sink)] == ["malformed", "schema_violation"]
        assert errors(opened.sink)[0]["source"] == "consume"
        assert batch.done == [True] * 4
        assert (opened.tally.accepted, opened.tally.invalid, opened.tally.retried) == (2, 2, 0)


async def test_a_line_that_is_too_long_is_refused_and_nothing_of_it_told(intake):
    batch = Batch([Line(None, "line", 1)])

    async with intake() as opened:
        await opened.take(batch)

        (told,) = errors(opened.sink)
        assert told["message"] == "The line has more than 1,048,576 bytes."
        assert "raw_event" not in told


@pytest.mark.parametrize("answer", [SinkUnavailable("Away."), UnknownDelivery("Who knows.")])
async def test_what_the_sink_does_not_take_is_tried_until_it_does(intake, caplog, answer):
    batch = Batch([line(1), line(2), line(3)])

    async with intake(Failing(4, b'"revision":2', answer=answer)) as opened:
        await opened.take(batch)

        assert sorted(revisions(opened.sink)) == [1, 2, 3]
        assert (opened.tally.accepted, opened.tally.retried) == (3, 4)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.tries for record in told if hasattr(record, "tries")] == [1, 2, 3, 4]
    assert {record.first for record in told if hasattr(record, "first")} == {"line 2"}


async def test_a_batch_that_is_left_keeps_what_is_done_and_leaves_the_rest(intake):
    batch = Batch([line(1), line(2), line(3)])
    batch.left.set()

    async with intake(Failing(99, b'"revision":2')) as opened:
        await opened.take(batch)

        assert batch.done == [True, False, True]
        assert opened.tally.lines == 2


async def test_who_leaves_need_not_wait_for_the_end_of_a_pause(intake):
    batch = Batch([line(1)])

    async with intake(Failing(99, b"revision"), pauses=[3_600]) as opened:
        work = asyncio.create_task(opened.take(batch))
        await asyncio.to_thread(until, lambda: opened.tally.retried)
        batch.left.set()
        await asyncio.wait_for(work, 20)

        assert batch.done == [False]


async def test_lines_behind_a_full_portion_wait_for_those_that_are_tried_again(intake):
    big = "x" * 400_000
    lines = [line(number, button=big) for number in range(1, 7)]
    batch = Batch(lines)

    async with intake(Failing(3, b'"revision":1,')) as opened:
        await opened.take(batch)

        # Only lines of its own portion have overtaken it.
        stored = revisions(opened.sink)
    assert sorted(stored) == [1, 2, 3, 4, 5, 6]
    assert stored.index(1) <= 2
    assert len(lines[0].text) * 3 > module.PORTION > len(lines[0].text)


async def test_a_line_that_is_tried_again_or_read_again_is_the_same_event(intake):
    written = b"DemoButtonClick"
    form = LineFormat.parse("%q %{recvFrom}s")
    seen = []

    def answer(record):
        seen.append(json.loads(record.value)["meta"]["id"])
        return UnknownDelivery("Who knows.") if len(seen) == 1 else None

    async with intake(answer, form=form) as opened:
        for _ in range(2):
            await opened.take(Batch([line(1)]))

    assert written in line(1).text
    assert len(seen) == 3
    assert len(set(seen)) == 1


async def test_a_line_that_says_who_it_is_keeps_the_identity_of_the_old_system(intake):
    async with intake() as opened:
        await opened.take(Batch([line(7), Line(text_of(7), "elsewhere", 99)]))

        first, second = (json.loads(record.value) for record in opened.sink.records)
    assert first["meta"]["id"] == second["meta"]["id"] == "62cc1f5d-84c6-5db1-9e39-54dfae772cee"


async def test_a_refused_line_is_done_only_when_it_is_told_of(intake):
    batch = Batch([Line(b"junk", "line", 1), line(2)])

    async with intake(Failing(2, b'"reason"')) as opened:
        await opened.take(batch)

        assert revisions(opened.sink) == [2]
        assert [each["reason"] for each in errors(opened.sink)] == ["malformed"]
        assert (opened.tally.invalid, opened.tally.retried) == (1, 2)


async def test_an_error_stream_that_never_takes_anything_does_not_stop_the_events(intake, caplog):
    batch = Batch([Line(b"junk", "line", 1), line(2)])

    async with intake(Failing(99, b'"reason"')) as opened:
        await opened.take(batch)

        assert revisions(opened.sink) == [2]
        assert batch.done == [True, True]
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.first == "line 1"


async def test_the_sink_s_receipt_makes_no_difference(intake):
    batch = Batch([line(1)])

    async with intake(lambda record: Delivery("spooled", record.topic, 0, 0)) as opened:
        await opened.take(batch)

        assert batch.done == [True]

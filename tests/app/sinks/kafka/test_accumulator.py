import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import SinkUnavailable, UnknownDelivery
from app.core.events import Delivery
from app.sinks.kafka.accumulator import Accumulator, Batch, Call
from tests.app.sinks.kafka.conftest import entry

DONE = Delivery("acked", "t", 0, 0)


def fill(accumulator, lane, many, now=0.0):
    return [accumulator.add(lane, [each], each.size, now) for each in many]


async def test_the_first_record_of_a_lane_lingers_and_a_full_batch_does_not(accumulator, entries):
    acc = accumulator(linger=1.0, batch_bytes=100)
    lane = acc.lane("t", 0)
    _, many = entries(12)

    woken = fill(acc, lane, many[:3], now=5.0)
    lingering = lane.ready_at
    woken += fill(acc, lane, many[3:], now=5.5)

    assert lingering == 6.0
    assert lane.ready_at == 5.5
    assert [place for place, wakes in enumerate(woken) if wakes] == [0, 9]


async def test_a_batch_takes_what_fits_and_at_least_one_record(accumulator, entries):
    acc = accumulator(batch_bytes=25)
    lane = acc.lane("t", 0)
    call, many = entries(4)
    many[2] = entry(call, 2, size=500)
    fill(acc, lane, many)

    sizes = []
    while lane.queue:
        batch = acc.take(lane, 0.0)
        sizes.append([each.size for each in batch.entries])
        acc.finished(lane, batch)

    assert sizes == [[10, 10], [500], [10]]
    assert (acc.bytes, acc.records, dict(acc.active)) == (0, 0, {})


async def test_beyond_its_bounds_nothing_is_admitted_unless_nothing_waits(accumulator, entries):
    acc = accumulator(max_bytes=25, max_records=100)
    first = acc.refusal(1, 1_000_000)
    _, many = entries(2)
    fill(acc, acc.lane("t", 0), many)

    second = acc.refusal(1, 5)
    third = acc.refusal(1, 6)

    assert first is None
    assert second is None
    assert third.reason == "overloaded"
    assert "20 bytes" in str(third)


async def test_what_is_sent_again_goes_before_what_waits(accumulator, entries):
    acc = accumulator(batch_bytes=20)
    lane = acc.lane("t", 0)
    _, many = entries(6)
    fill(acc, lane, many)
    batch = acc.take(lane, 0.0)

    acc.put_back(
        lane, Batch(batch.entries[:1]), Batch(batch.entries[1:]), instead_of=batch, ready_at=3.0
    )

    order = []
    while not lane.idle:
        again = acc.take(lane, 0.0)
        order += [each.position for each in again.entries]
        acc.finished(lane, again)
    assert order == [0, 1, 2, 3, 4, 5]
    assert lane.ready_at == 3.0


async def test_who_was_never_sent_is_told_so_and_who_was_is_told_that_it_is_unknown(
    accumulator, entries
):
    acc = accumulator(batch_bytes=20)
    lane = acc.lane("t", 0)
    call, many = entries(4, deadline=10.0)
    fill(acc, lane, many)
    acc.take(lane, 0.0)

    before = acc.expire(9.9)
    untold = call.missing
    after = acc.expire(10.0)

    assert (before, after, untold) == ([], [], 4)
    answers = await call.told
    assert [type(answer) for answer in answers] == [UnknownDelivery] * 2 + [SinkUnavailable] * 2
    assert acc.records == 2  # what is in flight still takes its room


async def test_a_batch_in_doubt_that_nobody_waits_for_is_given_up_and_named(accumulator, entries):
    acc = accumulator()
    lane = acc.lane("t", 0)
    _, many = entries(2, deadline=10.0)
    fill(acc, lane, many)
    batch = acc.take(lane, 0.0)
    batch.unclear = True
    acc.put_back(lane, batch, instead_of=batch, ready_at=0.0)

    abandoned = acc.expire(10.0)

    assert abandoned == [(lane, batch)]
    assert lane.idle
    assert acc.bytes == acc.records == 0


async def test_an_outage_refuses_what_was_never_sent_and_leaves_what_may_be_stored(
    accumulator, entries
):
    acc = accumulator(batch_bytes=20)
    lane, other = acc.lane("t", 0), acc.lane("u", 0)
    call, many = entries(6)
    fill(acc, lane, many[:4])
    fill(acc, other, many[4:])
    batch = acc.take(lane, 0.0)
    batch.unclear = True
    acc.put_back(lane, batch, instead_of=batch, ready_at=0.0)

    acc.refuse_unsent(SinkUnavailable("away"))

    told = [place for place, answer in enumerate(call.answers) if answer is not None]
    assert told == [2, 3, 4, 5]
    assert list(acc.active) == [lane]


async def test_a_topic_that_is_gone_harms_no_other(accumulator, entries):
    acc = accumulator()
    call, many = entries(2)
    acc.add(acc.lane("t", 0), many[:1], many[0].size, 0.0)
    acc.add(acc.lane("u", 0), many[1:2], many[1].size, 0.0)

    acc.refuse_unsent(SinkUnavailable("gone"), "t")

    assert [answer is not None for answer in call.answers] == [True, False]


async def test_a_caller_that_left_is_not_told_and_disturbs_nothing(entries):
    call, many = entries(1)
    call.told.cancel()

    many[0].tell(DONE)

    assert call.missing == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("aatttsrfuxe"), st.integers(0, 3)), max_size=60))
def test_whatever_happens_each_record_is_answered_once_and_all_room_comes_back(steps):
    async def run():
        acc = Accumulator(
            max_bytes=10**9, max_records=10**9, batch_bytes=30, linger=0.0, timeout=1.0
        )
        call = Call(len(steps))
        now = 0.0
        added = 0
        flying = {}
        for step, number in steps:
            now += 0.1
            lane = acc.lane("t", number)
            batch = flying.get(number)
            if step == "a":
                one = entry(call, added, deadline=now + 1.0)
                acc.add(lane, [one], one.size, now)
                added += 1
            elif step == "t" and batch is None and (lane.queue or lane.again):
                flying[number] = acc.take(lane, now)
            elif step in "sf" and batch is not None:
                for each in batch.entries:
                    each.tell(DONE)
                acc.finished(lane, flying.pop(number))
            elif step in "rux" and batch is not None:
                del flying[number]
                batch.unclear = step == "u"
                parts = [batch]
                if step == "x" and len(batch.entries) > 1:
                    parts = [Batch(batch.entries[:1]), Batch(batch.entries[1:])]
                acc.put_back(lane, *parts, instead_of=batch, ready_at=now)
            elif step == "e":
                acc.expire(now)
        for number, batch in flying.items():
            acc.put_back(acc.lane("t", number), batch, instead_of=batch, ready_at=now)
        acc.expire(now + 10)

        answered = [answer for answer in call.answers if answer is not None]
        assert len(answered) == added
        assert call.missing == len(steps) - added
        assert (acc.bytes, acc.records, list(acc.active)) == (0, 0, [])

    asyncio.run(run())

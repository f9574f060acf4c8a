import asyncio
import time

import pytest

from app.web.admission import PATIENCE, TICK, Admission
from tests.support import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def admission(clock):
    return Admission(0.2, clock=clock)


def looked(admission, clock, queue_time, seconds):
    """Let a queue stay as long as it is for some seconds."""
    ends = clock.now + seconds
    while clock.now < ends:
        clock.now += TICK + queue_time
        admission.look(queue_time)


def share_of(admission, of=1_000):
    return sum(not admission.admits() for _ in range(of)) / of


def test_where_nothing_waits_everything_is_admitted(admission, clock):
    looked(admission, clock, 0.19, 10)

    assert share_of(admission) == 0


def test_a_burst_is_no_overload(admission, clock):
    looked(admission, clock, PATIENCE * 0.8, TICK)
    looked(admission, clock, 0.0, TICK)
    looked(admission, clock, PATIENCE * 0.8, TICK)

    assert share_of(admission) == 0


def test_while_the_queue_stays_too_long_a_growing_share_is_turned_away(admission, clock):
    looked(admission, clock, 0.25, 1)
    soon = share_of(admission)
    looked(admission, clock, 0.25, 1)
    later = share_of(admission)
    looked(admission, clock, 0.25, 60)

    assert 0 < soon < later < 1
    assert share_of(admission) == 1
    assert admission.refused == round(1_000 * (soon + later + 1))


def test_a_longer_queue_is_cut_faster(clock):
    short, long = Admission(0.2, clock=clock), Admission(0.2, clock=clock)
    for _ in range(4):
        clock.now += 0.5
        short.look(0.21)
        long.look(0.6)

    assert share_of(long) > 2 * share_of(short)


def test_it_ends_when_the_queue_does(admission, clock):
    looked(admission, clock, 2.0, 30)

    looked(admission, clock, 0.0, 2)

    assert share_of(admission) == 0
    assert admission.queue_time == 0.0


def test_without_a_limit_everything_is_admitted_and_the_queue_is_told(clock):
    admission = Admission(0, clock=clock)

    looked(admission, clock, 5.0, 60)

    assert share_of(admission) == 0
    assert admission.queue_time == 5.0


def busy_for(seconds):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


async def watched(work):
    """Have the loop do some work after a moment; return the longest queue that was seen."""
    admission = Admission(0.2)
    seen = []
    admission.look = seen.append
    watching = asyncio.create_task(admission.run())
    await asyncio.sleep(TICK / 2)
    await work()
    await asyncio.sleep(3 * TICK)
    watching.cancel()
    return max(seen)


async def test_a_clock_that_runs_late_tells_how_long_requests_wait():
    async def requests():
        for _ in range(3):  # as many as come while those before them are served
            asyncio.get_running_loop().call_soon(busy_for, 4 * TICK)
            busy_for(4 * TICK)
            await asyncio.sleep(0)

    assert 2 * TICK < await watched(requests) < 40 * TICK


async def test_one_request_that_takes_long_is_no_queue():
    async def request():
        busy_for(20 * TICK)

    assert await watched(request) < 10 * TICK


async def test_nor_are_several_that_come_one_after_the_other():
    async def requests():
        for _ in range(3):
            busy_for(20 * TICK)
            await asyncio.sleep(TICK / 10)  # its client gets the answer, and sends the next

    assert await watched(requests) < 10 * TICK

import asyncio

import pytest

from app.web.admission import PATIENCE, TICK, Admission


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


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


async def test_a_clock_that_runs_late_tells_how_long_requests_wait():
    loop = asyncio.get_running_loop()
    admission = Admission(0.2)
    watching = asyncio.create_task(admission.run())
    await asyncio.sleep(TICK / 2)
    ends = loop.time() + 4 * TICK
    while loop.time() < ends:
        pass  # as a large batch does

    for _ in range(3):
        await asyncio.sleep(0)
    watching.cancel()

    assert 2 * TICK < admission.queue_time < 40 * TICK

import pytest

from app.pipeline.respite import SECONDS, SLOW, Respite
from tests.support import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def respite(clock):
    return Respite(clock)


def test_as_long_as_all_is_well_there_is_none(respite):
    respite.note(failed=False, seconds=30.0)

    assert respite.is_over()
    assert respite.is_over()


def test_what_fails_at_once_is_tried_each_time(respite):
    respite.note(failed=True, seconds=SLOW / 2)

    assert respite.is_over()


def test_after_a_slow_failure_one_attempt_in_a_while_is_let_through(respite, clock):
    respite.note(failed=True, seconds=SLOW * 2)

    assert not respite.is_over()
    clock.now += SECONDS
    assert respite.is_over()
    assert not respite.is_over()
    clock.now += SECONDS
    assert respite.is_over()


def test_an_attempt_that_succeeds_ends_it(respite, clock):
    respite.note(failed=True, seconds=SLOW * 2)
    clock.now += SECONDS
    assert respite.is_over()

    respite.note(failed=False, seconds=SLOW * 2)

    assert respite.is_over()
    assert respite.is_over()

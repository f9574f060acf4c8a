import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RateLimited
from app.rates import Buckets, Rate, Rates, client_of
from tests.support import Clock


@pytest.fixture
def clock():
    return Clock(1_000.0)


def waits(rates, client="a"):
    """Seconds that a client is told to wait, 0 if it may send."""
    try:
        rates.check(client)
    except RateLimited as error:
        return error.retry_after
    rates.take_request(client)
    return 0


def test_a_burst_is_taken_and_then_as_many_as_the_rate_gives(clock):
    rates = Rates(requests=Rate(2, 3), events=None, clock=clock)

    at_once = [waits(rates) for _ in range(4)]
    clock.now += 0.5
    later = [waits(rates) for _ in range(2)]

    assert at_once == [0, 0, 0, 1]
    assert later == [0, 1]


def test_what_is_not_sent_is_saved_only_up_to_a_burst(clock):
    rates = Rates(requests=Rate(1, 2), events=None, clock=clock)
    clock.now += 3_600

    assert [waits(rates) for _ in range(3)] == [0, 0, 1]


def test_one_clients_greed_is_not_anothers_wait(clock):
    rates = Rates(requests=Rate(1, 1), events=None, clock=clock)

    assert [waits(rates, client) for client in "aabb"] == [0, 1, 0, 1]


def test_a_batch_of_any_size_gets_through_and_the_next_waits_for_it(clock):
    rates = Rates(requests=None, events=Rate(10, 20), clock=clock)

    rates.take_events("a", 500)

    assert waits(rates) == 49  # 480 in debt, and one to be had
    with pytest.raises(RateLimited):  # it was checked while there was still something left
        rates.take_events("a", 1)
    clock.now += 49
    assert waits(rates) == 0
    rates.take_events("a", 1)


def test_who_has_spent_both_is_told_the_longer_wait(clock):
    rates = Rates(requests=Rate(1, 1), events=Rate(1, 10), clock=clock)
    rates.check("a")
    rates.take_request("a")
    rates.take_events("a", 1_000)

    assert waits(rates) > 900


def test_no_events_are_always_taken(clock):
    rates = Rates(requests=None, events=Rate(1, 1), clock=clock)
    rates.take_events("a", 10)

    rates.take_events("a", 0)


@given(
    rate=st.floats(0.01, 10_000),
    burst=st.integers(1, 10_000),
    taken=st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
)
def test_after_the_seconds_that_were_told_the_next_one_is_taken(rate, burst, taken):
    clock = Clock(1_000.0)
    rates = Rates(requests=None, events=Rate(rate, burst), clock=clock)
    for count in taken:
        waited = waits(rates)
        clock.now += waited
        assert waits(rates) == 0
        rates.take_events("a", count)


@given(
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=60),
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 100),
)
def test_over_time_nobody_gets_more_than_rate_burst_and_one_batch(steps, rate, burst):
    clock = Clock(1_000.0)
    rates = Rates(requests=None, events=Rate(rate, burst), clock=clock)
    begun, got = clock.now, 0
    for pause, count in steps:
        clock.now += pause
        try:
            rates.take_events("a", count)
        except RateLimited:
            continue
        got += count

    assert got <= burst + rate * (clock.now - begun) + 50 + 0.001


def test_only_the_recent_clients_are_remembered(clock):
    buckets = Buckets(Rate(1, 1), max_clients=3, clock=clock)

    for client in ("a", "b", "a", "c", "d"):
        buckets.take(client, 1)

    assert len(buckets) == 3
    assert buckets.wait("b") == 0
    assert buckets.wait("a") > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("no address", "neither", False),
    ],
)
def test_an_address_is_a_client_and_of_ipv6_a_network(one, other, same):
    assert (client_of(None, one) == client_of(None, other)) is same


def test_a_subject_is_another_client_than_any_address():
    assert client_of("192.0.2.1", "192.0.2.1") != client_of(None, "192.0.2.1")
    assert client_of("a", "192.0.2.1") == client_of("a", "192.0.2.2")
    assert client_of(None, None) == client_of(None, None)

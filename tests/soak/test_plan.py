from itertools import islice

from tests.soak.faults import SOURCES
from tests.soak.plan import faults

KINDS = {"a": (1.0, 2.0), "b": (5.0, 6.0), "c": (0.0, 0.0)}


def some(seed, lane="x", count=30, kinds=KINDS):
    return list(islice(faults(seed, lane, kinds), count))


def test_a_seed_repeats_the_faults_and_another_does_not():
    assert some(7) == some(7)
    assert some(7) != some(8)
    assert some(7) != some(7, lane="y")


def test_every_kind_comes_once_before_any_comes_again():
    kinds = [fault.kind for fault in some(7)]

    for start in range(0, 30, 3):
        assert set(kinds[start : start + 3]) == set(KINDS)


def test_a_fault_takes_as_long_as_its_kind_may():
    for fault in some(7):
        shortest, longest = KINDS[fault.kind]
        assert shortest <= fault.seconds <= longest


def test_without_kinds_nothing_happens():
    assert some(7, kinds={}) == []


def test_all_that_a_source_can_do_wrong_comes_in_ten_minutes():
    longest = sum(12.0 + seconds for _, seconds in SOURCES.values())

    assert longest < 600

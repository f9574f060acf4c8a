from hypothesis import given
from hypothesis import strategies as st

from app.core.json import problem_of
from app.schemas.bundle import Bundle
from app.schemas.drafts import DEFAULT
from app.schemas.formats import PATTERNS
from migration.compat.leaves import takes
from migration.compat.reading import view_of
from migration.compat.views import Part
from migration.scalarexamples import numbers, strings


def view(schema):
    return view_of((Part(schema, Bundle(schema, [], DEFAULT)),))


@given(st.integers(-(2**60), 2**60), st.integers(-(2**60), 2**60))
def test_numbers_stand_at_and_on_both_sides_of_a_bound(low, high):
    found = list(numbers([view({"minimum": low, "maximum": high})]))

    for bound in (low, high):
        assert bound in found
        assert any(one < bound for one in found)
        assert any(one > bound for one in found)


@given(st.integers(2, 1000), st.integers(-1000, 1000))
def test_there_are_multiples_above_a_bound_and_numbers_that_are_none(step, low):
    found = list(numbers([view({"multipleOf": step, "minimum": low})]))

    assert any(one >= low and one % step == 0 for one in found)
    assert any(one % step for one in found)


def test_numbers_are_such_as_an_event_may_hold():
    found = list(numbers([view({"minimum": -(2**63), "maximum": 2**64 - 1})]))

    assert [problem_of({"a": one}) for one in found] == [None] * len(found)


@given(st.integers(0, 300), st.integers(0, 300))
def test_strings_are_as_long_as_a_limit_and_one_shorter_and_longer(least, more):
    found = {len(one) for one in strings([view({"minLength": least, "maxLength": more})], ())}

    for limit in (least, more):
        assert found >= {limit, limit + 1} | {max(limit - 1, 0)}


def test_every_format_that_is_checked_has_a_string_that_passes_it():
    for name, pattern in PATTERNS.items():
        found = strings([view({"format": name})], ())

        assert any(takes("pattern", pattern, one, old=False) for one in found), name


def test_long_dates_and_addresses_keep_their_form():
    for name in ("date-time", "uri"):
        found = list(strings([view({"format": name, "maxLength": 40})], ()))

        fitting = [
            one
            for one in found
            if len(one) > 40 and takes("pattern", PATTERNS[name], one, old=False)
        ]
        assert fitting


def test_a_huge_limit_makes_no_huge_string():
    found = strings([view({"maxLength": 10**9})], ("word",))

    assert max(map(len, found)) < 1_000

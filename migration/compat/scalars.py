"""The rules of proof for numbers and strings, and what no value can be."""

import math
from collections.abc import Iterator

from app.schemas.formats import FORMATS
from migration.compat.judging import accepts, refusal
from migration.compat.kinds import NUMBERS
from migration.compat.views import View
from migration.patterntexts import lengths_of


def number_gaps(one: View, other: View) -> Iterator[str]:
    """Yield the keywords of `other` that may refuse a number that `one` takes."""
    integral = not one.kinds & NUMBERS - {"int", "whole"}
    if other.low is not None and not _at_least(one, other, integral=integral):
        yield "exclusiveMinimum" if other.low[1] else "minimum"
    if other.high is not None and not _at_most(one, other, integral=integral):
        yield "exclusiveMaximum" if other.high[1] else "maximum"
    for old, number in other.multiples:
        known = (old, number) in one.multiples or (integral and number == 1)
        if not known and not any(_divides(number, mine) for _, mine in one.multiples):
            yield "multipleOf"


def string_gaps(one: View, other: View) -> Iterator[str]:
    """Yield the keywords of `other` that may refuse a string that `one` takes."""
    least, most = _lengths(one)
    if other.min_length > least:
        yield "minLength"
    longest = other.max_length
    if longest is not None and (most is None or most > longest):
        yield "maxLength"
    for pattern in other.patterns:
        if pattern not in one.patterns:
            yield "format" if pattern[1] in FORMATS else "pattern"


def required_of(view: View, *, at_least: bool) -> list[str]:
    """Return the properties without which an object is refused, defaults considered.

    Where that is not known: none that may be absent if `at_least`, else all that may be needed.
    """
    needed = []
    for name in view.required | dict.fromkeys(view.defaults):
        if name not in view.defaults:
            needed.append(name)
            continue
        default = view.defaults[name]
        if isinstance(default, dict | list):  # it may be filled itself
            if not at_least:
                needed.append(name)
        elif not accepts(view.child(name), default):
            needed.append(name)
    return needed


def surely_empty(view: View) -> bool:
    """Say whether no value is taken, as far as that can be seen without looking deeper."""
    if view.options is not None and not any(part.fills for part in view.parts):
        return all(refusal(view, one) is not None for one in view.options)
    return not _possible(view)


def _lengths(view: View) -> tuple[int, int | None]:
    """Return the lengths of strings, those that patterns imply considered."""
    least, most = view.min_length, view.max_length
    for old, pattern in view.patterns:
        shortest, longest = lengths_of(pattern)
        least = max(least, shortest)
        if longest is not None:
            longest += old  # Python's `$` lets a newline at the end through
            most = longest if most is None else min(most, longest)
    return least, most


def _possible(view: View) -> frozenset[str]:
    kinds = view.kinds
    if view.low and view.high:
        bottom, top = view.low, view.high
        if bottom[0] > top[0] or (bottom[0] == top[0] and (bottom[1] or top[1])):
            kinds -= NUMBERS
    least, most = _lengths(view)
    if most is not None and least > most:
        kinds -= {"string"}
    if view.max_items is not None and view.min_items > view.max_items:
        kinds -= {"array"}
    if view.max_properties is not None and view.min_properties > view.max_properties:
        kinds -= {"object"}
    return kinds


def _at_least(one: View, other: View, *, integral: bool) -> bool:
    if one.low is None:
        return False
    assert other.low is not None
    low, is_open = one.low
    if integral:
        low, is_open = (math.floor(low) + 1 if is_open else math.ceil(low)), False
    wanted, wanted_open = other.low
    return bool(low > wanted or (low == wanted and (is_open or not wanted_open)))


def _at_most(one: View, other: View, *, integral: bool) -> bool:
    if one.high is None:
        return False
    assert other.high is not None
    high, is_open = one.high
    if integral:
        high, is_open = (math.ceil(high) - 1 if is_open else math.floor(high)), False
    wanted, wanted_open = other.high
    return bool(high < wanted or (high == wanted and (is_open or not wanted_open)))


def _divides(number: object, other: object) -> bool:
    """Say whether multiples of `other` are multiples of `number`. Sure of integers only."""
    if not isinstance(number, int) or not isinstance(other, int):
        return False
    return number > 0 and other % number == 0

"""Numbers and strings around the limits that schemas set."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from app.core.json import INTEGERS
from app.schemas.formats import FORMATS
from migration.compat.views import View
from migration.patterntexts import MAX_TEXT, texts_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MAX_LENGTH = 200_000
_OF_FORMATS = {
    "date": ("2026-01-31", "2026-02-30"),
    "time": ("12:30:00Z", "12:30:00"),
    "date-time": ("2026-01-31T12:30:00Z", "2026-01-31T12:30:00.123456789+02:00"),
    "uri": ("https://example.org/page", "a:b"),
    "uri-reference": ("/page/1", "https://example.org/page#top", ""),
    "email": ("someone@example.org",),
    "hostname": ("host.example.org", "a"),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1", "::"),
    "uuid": ("123e4567-e89b-42d3-a456-426614174000",),
}
_STRINGS = ("a", "", "example", "0", "no date", "A b", "é😀", "not\\a uri", "2026-01-31")
_PLAIN = (1, 0)
_ODD = (1.5, 1.0, -1, -0.5, 2**53, -(2**53), 2**63 - 1, 1e300, -1e300)


def numbers(views: Sequence[View]) -> Iterator[int | float]:
    """Yield numbers near every limit of the schemas, and others; not all of them fit."""
    yield from _PLAIN
    for view in views:
        for bound in (view.low, view.high):
            if bound is not None:
                yield from _around(bound[0])
        for _, step in view.multiples:
            yield from (step, step * 2, step * 3, step / 2, step + 1)
        product = math.prod(step for _, step in view.multiples if isinstance(step, int))
        if product > 1:
            low = view.low[0] if view.low else 0
            yield from (math.ceil(low / product) * product + product * n for n in range(3))
    yield from _ODD


def _around(bound: Any) -> Iterator[int | float]:
    near = (bound, bound + 1, bound - 1, math.floor(bound), math.ceil(bound))
    yield from (one for one in near if isinstance(one, float) or one in INTEGERS)
    if abs(bound) < 2**52:
        yield from (bound + 0.5, bound - 0.5, float(bound))
    else:
        yield from (float(bound), math.nextafter(bound, math.inf), math.nextafter(bound, -math.inf))
    if bound < 0 or bound > 1:
        yield bound / 2


def strings(views: Sequence[View], words: Sequence[str]) -> Iterator[str]:
    """Yield strings of every form and near every length that the schemas speak of, and others."""
    lengths = _lengths(views)
    yield from words
    for view in views:
        for _, pattern in view.patterns:
            if pattern in FORMATS:
                yield from _OF_FORMATS[FORMATS[pattern]]
            else:
                short = tuple(length for length in lengths if length <= MAX_TEXT)
                yield from texts_of(pattern, stretches=short)
    yield from _STRINGS
    for length in lengths:
        yield (_LETTERS * (length // len(_LETTERS) + 1))[:length]
        for format_ in ("date-time", "uri"):  # long, and of the form all the same
            yield _stretched(format_, length)


def _stretched(format_: str, length: int) -> str:
    if format_ == "uri":
        return "https://example.org/".ljust(length, "a")[: max(length, 20)]
    return f"2026-01-31T12:30:00.{'1' * max(1, length - 21)}Z"


def _lengths(views: Sequence[View]) -> list[int]:
    bounds = [bound for view in views for bound in (view.min_length, view.max_length)]
    near = {b + d for b in bounds if b is not None for d in (-1, 0, 1)}
    return sorted(length for length in near if 0 <= length <= _MAX_LENGTH)

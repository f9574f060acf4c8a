"""Making a JSON value as small as it can be while it still shows something."""

import json
from collections.abc import Callable, Iterator
from typing import Any

_SIMPLEST: tuple[Any, ...] = (0, "", False, None, {}, [])


def shrunk(value: Any, shows: Callable[[Any], bool], tries: int) -> Any:
    """Return a smaller value that still shows it, after at most so many tries.

    Values get strictly shorter as JSON, and the first that is found in a fixed order is taken: the
    same value always shrinks to the same.
    """
    left = tries
    while True:
        for candidate in _simpler(value):
            if left == 0:
                return value
            left -= 1
            if shows(candidate):
                value = candidate
                break
        else:
            return value


def _simpler(value: Any) -> Iterator[Any]:
    """Yield shorter values, the shortest steps last."""
    if isinstance(value, dict):
        for name in value:
            yield {key: one for key, one in value.items() if key != name}
        for name, inner in value.items():
            for simpler in _simpler(inner):
                yield {**value, name: simpler}
    elif isinstance(value, list):
        for at in range(len(value)):
            yield [*value[:at], *value[at + 1 :]]
        for at, inner in enumerate(value):
            for simpler in _simpler(inner):
                yield [*value[:at], simpler, *value[at + 1 :]]
    if not isinstance(value, str | int | float | dict | list):
        return  # what stands for no event, null and the like
    size = _size(value)
    for simple in _SIMPLEST:
        if _size(simple) < size and type(simple) is type(value):
            yield simple
    if isinstance(value, str) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[:-1]


def _size(value: Any) -> int:
    return len(json.dumps(value))

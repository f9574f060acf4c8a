"""Examples of what schemas take: whole events, and events with something chosen in one place.

The same schemas always give the same examples, simple ones first.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from migration.compat.judging import accepts
from migration.compat.places import EachItem, EachName, Place, Step
from migration.compat.reading import view_of
from migration.compat.views import Parts, View, matches
from migration.patterntexts import texts_of
from migration.scalarexamples import numbers, strings

MAX_CHOICES = 4
MAX_DEPTH = 12
_FEW = 6
_BASES = 4
_MIXED = 40
_PLACED = 80
_LONGEST = 1_000
_NAMES = ("another", "x", "Another_1", "0", "é")

Inner = Callable[[Parts, Parts], Iterable[Any]]
"""Values for a place: of the schemas that take the event, near the limits of the others."""


class Examples:
    """Generates values; remembers a few of each schema."""

    def __init__(self) -> None:
        self._few: dict[tuple[int, ...], tuple[Parts, list[Any]]] = {}

    def values(self, parts: Parts, near: Parts = (), *, depth: int = 0) -> Iterator[Any]:
        """Yield values that the schemas take, tried near the limits of others, too; each once."""
        seen = set()
        for value in self._raw(parts, near, depth, frozenset()):
            text = json.dumps(value)
            if text not in seen and accepts(parts, value):
                seen.add(text)
                yield value

    def around(self, place: Place, inner: Inner, taken: Parts, kept: Parts) -> Iterator[Any]:
        """Yield values with something of `inner` at a place.

        What is around it follows `taken`, and where that can be `kept` as well. Not everything
        that is yielded is taken.
        """
        if not place:
            yield from inner(taken, kept)
            return
        one, other = view_of(taken), view_of(kept)
        for token in _tokens(place[0], one, other):
            named = isinstance(token, str)
            below = one.child(token) if isinstance(token, str) else one.item(token)
            beside = other.child(token) if isinstance(token, str) else other.item(token)
            bases = self._bases(taken, kept, "object" if named else "array")
            values = list(islice(self.around(place[1:], inner, below, beside), _PLACED))
            before = [] if isinstance(token, str) else self._items_before(token, one)
            made = (_put(base, token, value, before) for base in bases for value in values)
            yield from (one for one in made if one is not None)

    def _bases(self, taken: Parts, kept: Parts, kind: str) -> list[Any]:
        more = tuple(part.asked({"type": kind}) for part in (*taken, *kept)[:1])
        both = list(islice(self.values((*taken, *kept, *more)), _BASES))
        return (
            both
            or list(islice(self.values((*taken, *more)), _BASES))
            or [{} if kind == "object" else []]
        )

    def _items_before(self, position: int, view: View) -> list[Any]:
        pools = [self._few_of(view.item(i), 1) for i in range(position)]
        return [pool[0] for pool in pools] if all(pools) else []

    def _few_of(self, parts: Parts, depth: int) -> list[Any]:
        key = tuple(id(part.schema) for part in parts)
        if key not in self._few:
            self._few[key] = (parts, [])  # what it finds of itself within itself: nothing
            found = list(islice(self.values(parts, depth=depth), _FEW))
            self._few[key] = (parts, found)
        return self._few[key][1]

    def _raw(
        self, parts: Parts, near: Parts, depth: int, chosen: frozenset[tuple[int, str]]
    ) -> Iterator[Any]:
        view = view_of(parts)
        choices = [c for c in view.choices if c.keyword != "not" and c.key not in chosen]
        if choices and len(chosen) < MAX_CHOICES:
            now = chosen | {choices[0].key}
            yield from _in_turn(
                self._raw((*parts, branch), near, depth, now) for branch in choices[0].branches
            )
            return
        other = view_of(near)
        yield from view.options or ()
        kinds: list[Iterator[Any]] = []
        if "object" in view.kinds and view.options is None:
            kinds.append(self._objects(view, other, depth))
        if "string" in view.kinds:
            words = [one for one in other.options or () if isinstance(one, str)]
            kinds.append(strings([view, other], words))
        if view.kinds & {"int", "whole", "fraction"}:
            kinds.append(numbers([view, other]))
        if "boolean" in view.kinds:
            kinds.append(iter((True, False)))
        if "array" in view.kinds and view.options is None:
            kinds.append(self._arrays(view, other, depth))
        if "null" in view.kinds:
            kinds.append(iter((None,)))
        yield from _in_turn(kinds)
        yield from other.options or ()

    def _arrays(self, view: View, other: View, depth: int) -> Iterator[list[Any]]:
        if depth > MAX_DEPTH:
            yield []
            return
        bounds = [view.min_items, view.max_items, other.min_items, other.max_items]
        near = {b + d for b in bounds if b is not None for d in (-1, 0, 1)} | {1, 2, 3}
        for length in sorted(n for n in near if 0 <= n <= _LONGEST):
            pools = [self._few_of(view.item(i), depth + 1) for i in range(length)]
            if all(pools):
                wanted = [self._few_of((part,), depth + 1)[:1] for part in view.contains]
                for turn in (0, 1):
                    made = [pool[(i * turn) % len(pool)] for i, pool in enumerate(pools)]
                    for i, one in enumerate(wanted[:length]):
                        made[i : i + 1] = one
                    yield made
                    yield _distinct(made)
        for value in islice(self.values(view.item(0), other.item(0), depth=depth + 1), _MIXED):
            yield [value] * max(1, view.min_items)

    def _objects(self, view: View, other: View, depth: int) -> Iterator[dict[str, Any]]:
        needed = list(view.required)
        for name, wanted in view.dependencies:
            if name in needed and isinstance(wanted, list):
                needed += [one for one in wanted if one not in needed]
        base = self._with({}, needed, view, depth)
        names = list(dict.fromkeys((*view.listed, *_named_by(other), *_named_by(view))))
        names += islice(_unlisted(view, other), _MIXED)
        spare = [name for name in names if name not in base]
        base = self._with(base, spare[: max(0, view.min_properties - len(base))], view, depth)
        yield base
        if depth > MAX_DEPTH:
            return
        full = self._with(base, [name for name in view.listed if name not in base], view, depth)
        yield full
        for name in spare:
            yield self._with(base, [name], view, depth)
        for bound in (view.max_properties, other.max_properties, other.min_properties):
            for size in (bound or 0, (bound or 0) + 1, (bound or 0) - 1):
                if len(base) < size <= len(base) + len(spare):
                    yield self._with(base, spare[: size - len(base)], view, depth)
        for name in names[: len(view.listed) + 2]:
            for value in self._few_of(view.child(name), depth + 1)[1:]:
                yield {**base, name: value}
        yield from ({k: v for k, v in full.items() if k != name} for name in view.listed)
        rng = random.Random(len(full))  # noqa: S311 (examples, not secrets)
        for _ in range(_MIXED):
            made = {}
            for name in full:
                pool = self._few_of(view.child(name), depth + 1)
                if pool and (name in base or rng.random() < 0.5):  # noqa: PLR2004 (a coin)
                    made[name] = rng.choice(pool)
            yield made

    def _with(
        self, base: dict[str, Any], names: Iterable[str], view: View, depth: int
    ) -> dict[str, Any]:
        more = {}
        for name in names:
            values = self._few_of(view.child(name), depth + 1) if depth <= MAX_DEPTH else []
            if values:
                more[name] = values[0]
        return {**base, **more}


def _named_by(view: View) -> Iterator[str]:
    """Yield the names that a schema speaks of."""
    yield from view.listed
    for name, wanted in view.dependencies:
        yield name
        yield from wanted if isinstance(wanted, list) else ()


def _unlisted(view: View, other: View) -> Iterator[str]:
    """Yield names that the schemas do not list."""
    texts = [
        text
        for _, pattern in view.all_patterns | other.all_patterns
        for text in islice(texts_of(pattern), 3)
    ]
    names = [str(one) for one in view_of(view.names).options or ()]
    lengths = strings([view_of(view.names), view_of(other.names)], names)
    for name in dict.fromkeys((*_NAMES, *texts, *islice(lengths, _MIXED))):
        unlisted = name not in view.listed and name not in other.listed
        if unlisted and (not view.names or accepts(view.names, name)):
            yield name


def _tokens(step: Step, one: View, other: View) -> Iterator[str | int]:
    if isinstance(step, str | int):
        yield step
    elif isinstance(step, EachItem):
        yield step.start
    else:
        found = (name for name in _unlisted(one, other) if _is_of(step, name))
        yield from islice(found, 2)


def _is_of(step: EachName, name: str) -> bool:
    return all(matches(one, name) == (one in step.matching) for one in step.patterns)


def _put(base: Any, token: str | int, value: Any, before: list[Any]) -> Any:
    """Return a copy of an object or array with a value in one place; None if it has no room.

    `before` are items for the positions before an item's.
    """
    if isinstance(token, str):
        return {**base, token: value} if isinstance(base, dict) else None
    if not isinstance(base, list):
        return None
    made = [*base, *before[len(base) :]]
    if len(made) < token:
        return None
    return [*made[:token], value, *made[token + 1 :]]


def _distinct(values: list[Any]) -> list[Any]:
    seen = {json.dumps(value, sort_keys=True): value for value in values}
    return list(seen.values())


def _in_turn(iterators: Iterable[Iterator[Any]]) -> Iterator[Any]:
    """Yield the first of each, then the second of each, and so on."""
    waiting = list(iterators)
    while waiting:
        left = []
        for one in waiting:
            try:
                yield next(one)
            except StopIteration:
                continue
            left.append(one)
        waiting = left

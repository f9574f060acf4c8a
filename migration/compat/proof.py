"""The proof that whatever one schema takes, another takes, too; or the gaps in it.

A gap is a place and a keyword for which no proof was found. No gap means that there is no such
event: every rule here may give up, but none may be wrong. Recursive schemas are proven by induction
over the size of values: at a smaller value, what is being proven may be taken for granted.
"""

import json
import math
from dataclasses import replace
from typing import Any

from migration.compat.arrays import array_gaps
from migration.compat.gaps import At, Gap
from migration.compat.judging import refusal
from migration.compat.kinds import NUMBERS, TYPES
from migration.compat.objects import object_gaps
from migration.compat.reading import view_of
from migration.compat.scalars import number_gaps, required_of, string_gaps, surely_empty
from migration.compat.views import Choice, Part, Parts, View

MAX_STEPS = 20_000
MAX_DEPTH = 40
MAX_SPLITS = 3
MAX_LOOKED = 3
MAX_BRANCHES = 24
MAX_VALUES = 64


class Prover:
    """Proves; `declared` leaves out events with properties that the first schema does not list."""

    def __init__(self, *, declared: bool = False) -> None:
        self.declared = declared
        self._steps = MAX_STEPS
        self._open: dict[tuple[Any, ...], int] = {}

    def gaps(self, first: Parts, second: Parts) -> list[Gap]:
        """Return where it is not proven that what `first` takes `second` takes; once each."""
        return list(dict.fromkeys(self.between(first, second, At())))

    def between(self, first: Parts, second: Parts, at: At) -> list[Gap]:
        """Return the gaps below a place."""
        self._steps -= 1
        if self._steps < 0 or len(at.place) + at.level > MAX_DEPTH:
            return [Gap(at.place, "proof")]
        if _same(first, second):
            return []
        key = (_key(first), _key(second), at.split)
        if key in self._open:
            smaller = len(at.place) > self._open[key]
            return [] if smaller else [Gap(at.place, "proof")]
        self._open[key] = len(at.place)
        try:
            return self._between(first, second, at)
        finally:
            del self._open[key]

    def empty(self, parts: Parts, at: At, *, depth: int = 0) -> bool:
        """Say whether it is proven that there is no value that all the schemas take."""
        self._steps -= 1
        if self._steps < 0 or len(at.place) + at.level > MAX_DEPTH:
            return False
        view = view_of(parts)
        if surely_empty(view):
            return True
        if view.kinds == {"object"} and any(
            depth < MAX_LOOKED and self.empty(view.child(name), at.below(name), depth=depth + 1)
            for name in required_of(view, at_least=True)
        ):
            return True
        for choice in view.choices:
            if choice.keyword == "not":
                if not self.between(parts, choice.branches, at.deeper()):
                    return True
            elif at.level < MAX_SPLITS and choice.key not in at.split:
                deeper = at.deeper(choice.key)
                if all(self.empty((*parts, one), deeper) for one in choice.branches):
                    return True
        return False

    def _between(self, first: Parts, second: Parts, at: At) -> list[Gap]:
        one, other = view_of(first), view_of(second)
        if self.empty(first, at):
            return []
        gaps = self._direct(one, other, at)
        choice = next((c for c in one.choices if _splits(c, at)), None)
        if not gaps or choice is None or any(gap.keyword == "default" for gap in gaps):
            return gaps
        found = []
        for branch in choice.branches:
            others = [_negated(b) for b in choice.branches if b is not branch]
            more = others if choice.keyword == "oneOf" else []
            found += self.between((*first, branch, *more), second, at.deeper(choice.key))
        return found

    def _direct(self, one: View, other: View, at: At) -> list[Gap]:
        if _defaults_decide(one, other):
            return [Gap(at.place, "default")]
        values = values_of(one)
        if values is not None:
            return _gaps_of_values(one, other, values, at)
        gaps = []
        if not one.kinds <= other.kinds:
            gaps.append(Gap(at.place, "type"))
        shared = one.kinds & other.kinds
        if not shared:
            return gaps
        if other.options is not None:
            gaps.append(Gap(at.place, "enum"))
        gaps += [Gap(at.place, leaf[1]) for leaf in other.leaves if leaf not in one.leaves]
        if shared & NUMBERS:
            gaps += [Gap(at.place, keyword) for keyword in number_gaps(one, other)]
        if "string" in shared:
            gaps += [Gap(at.place, keyword) for keyword in string_gaps(one, other)]
        if "array" in shared:
            gaps += array_gaps(self, one, other, at)
        if "object" in shared:
            gaps += object_gaps(self, one, other, at)
        for choice in other.choices:
            if not self._chosen(one.parts, one, choice, at.deeper()):
                gaps.append(Gap(at.place, choice.key[1]))
        return gaps

    def _chosen(self, parts: Parts, view: View, choice: Choice, at: At) -> bool:
        """Say whether it is proven that a choice takes every value of the schemas."""
        if choice.keyword == "not":
            return self.empty((*parts, *choice.branches), at)
        if self._one_of(parts, choice, at):
            return True
        names = [name for name in _PIECES if view.kinds & TYPES[name]]
        if len(names) < 2 or at.level > MAX_SPLITS:  # noqa: PLR2004 (one piece is the whole)
            return False
        pieces = ((*parts, replace(choice.branches[0], schema=_TYPED[name])) for name in names)
        return all(self._one_of(piece, choice, at.deeper()) for piece in pieces)

    def _one_of(self, parts: Parts, choice: Choice, at: At) -> bool:
        for branch in choice.branches[:MAX_BRANCHES]:
            if self.between(parts, (branch,), at.deeper()):
                continue
            if choice.keyword == "anyOf":
                return True
            others = [one for one in choice.branches if one is not branch]
            return all(self.empty((*parts, one), at.deeper()) for one in others)
        return False


def values_of(view: View) -> list[Any] | None:
    """Return all values of a schema that has few; None if it may have many."""
    if view.options is not None:
        return view.options
    values: list[Any] = [None, True, False]
    if view.kinds <= {"null", "boolean"}:
        return values
    if view.kinds <= {"null", "boolean", "int", "whole"} and view.low and view.high:
        low, high = math.ceil(view.low[0]), math.floor(view.high[0])
        if high - low <= MAX_VALUES:
            return values + [kind(n) for n in range(low, high + 1) for kind in (int, float)]
    return None


_PIECES = ("null", "boolean", "string", "int", "whole", "fraction", "array", "object")
# The same objects each time: by them the proof knows where it has been.
_TYPED = {name: {"type": name} for name in _PIECES}


def _gaps_of_values(one: View, other: View, values: list[Any], at: At) -> list[Gap]:
    dialects = {part.old for part in (*one.parts, *other.parts)}
    filled = any(part.fills for part in (*one.parts, *other.parts))
    gaps = []
    for value in values:
        if isinstance(value, dict | list) and (len(dialects) > 1 or filled):
            gaps.append(Gap(at.place, "enum"))  # 5 within it may be 5.0
        elif refusal(one, value) is None:
            keyword = refusal(other, value)
            if keyword is not None:
                gaps.append(Gap(at.place, keyword))
    return gaps


def _defaults_decide(one: View, other: View) -> bool:
    """Say whether filling defaults may change what other keywords say of the same object."""
    if not (one.defaults or other.defaults or one.fills_items or other.fills_items):
        return False
    if one.fills_items or other.fills_items:
        return True
    return any(
        view.choices
        or view.dependencies
        or view.names
        or view.min_properties
        or view.max_properties is not None
        or view.options is not None
        for view in (one, other)
    )


def _splits(choice: Choice, at: At) -> bool:
    return (
        choice.keyword != "not"
        and choice.key not in at.split
        and len(at.split) < MAX_SPLITS
        and len(choice.branches) <= MAX_BRANCHES
    )


def _negated(part: Part) -> Part:
    return part.asked({"not": part.schema})


def _same(first: Parts, second: Parts) -> bool:
    if len(first) != len(second):
        return False
    return all(
        (a.old, a.certain) == (b.old, b.certain) and _equal(a, b)
        for a, b in zip(first, second, strict=True)
    )


def _equal(one: Part, other: Part) -> bool:
    if one.schema is other.schema and one.bundle is other.bundle:
        return True
    text = _text(one.schema)
    return '"$ref"' not in text and text == _text(other.schema)


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)


def _key(parts: Parts) -> tuple[Any, ...]:
    return tuple(sorted({(id(part.schema), part.certain) for part in parts}))

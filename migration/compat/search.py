"""The search for an event that is valid under one schema and not under the other.

Nothing is returned that the two real validators have not judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.core.json import problem_of
from migration.compat.gaps import Gap
from migration.compat.judging import accepts
from migration.compat.places import EachName, Place, Step
from migration.compat.sides import Fault, Side
from migration.compat.views import Parts
from migration.examples import Examples

MAX_TRIED = 400
MAX_VALUES = 60

# A fault by these is told of the value that holds the place, or of one further up.
_OF_THE_WHOLE = frozenset(
    (
        *("additionalProperties", "allOf", "anyOf", "const", "contains", "dependencies"),
        *("dependentRequired", "enum", "if", "items", "maxItems", "maxProperties", "minItems"),
        *("minProperties", "not", "oneOf", "patternProperties", "propertyNames", "required"),
        *("type", "uniqueItems"),
    )
)
_SAME_WORD = {"const": "enum", "dependentRequired": "dependencies", "divisibleBy": "multipleOf"}


@dataclass(frozen=True, slots=True)
class CounterExample:
    """An event that one schema takes and the other refuses, because of `fault`."""

    event: dict[str, Any]
    fault: Fault


class Search:
    """Looks for events that `one` takes and `other` refuses."""

    def __init__(self, one: Side, other: Side, examples: Examples) -> None:
        self._one = one
        self._other = other
        self._examples = examples
        self._random: list[CounterExample] | None = None

    def for_gap(self, gap: Gap, beside: Sequence[Gap]) -> CounterExample | None:
        """Return an event refused for this gap, and not only for others at the same place."""
        rivals = {one.keyword for one in beside if one.place == gap.place} - {gap.keyword}
        second = None
        for event in islice(self._aimed_at(gap), MAX_TRIED):
            faults = self._faults(event)
            near = [fault for fault in faults if _is_about(gap.place, fault)]
            for fault in near:
                if _SAME_WORD.get(fault.keyword, fault.keyword) == gap.keyword:
                    if len(near) == len(faults):
                        return CounterExample(event, fault)
                    second = second or CounterExample(event, fault)
            if near and second is None and near[0].keyword not in rivals:
                second = CounterExample(event, near[0])
        return second or self._met_by_chance(gap)

    def _faults(self, event: Any) -> Sequence[Fault]:
        """Return why an event is refused; nothing if it proves nothing."""
        if not isinstance(event, dict) or problem_of(event) is not None:
            return ()
        return self._other.faults(event) if self._one.takes(event) else ()

    def _met_by_chance(self, gap: Gap) -> CounterExample | None:
        if self._random is None:
            self._random = []
            parts = (self._one.part, self._one.part.asked({"type": "object"}))
            for event in islice(self._examples.values(parts, (self._other.part,)), MAX_TRIED):
                self._random += [CounterExample(event, fault) for fault in self._faults(event)]
        return next(
            (
                one
                for one in self._random
                if _is_about(gap.place, one.fault)
                and gap.keyword in (_SAME_WORD.get(one.fault.keyword, one.fault.keyword), "proof")
            ),
            None,
        )

    def _aimed_at(self, gap: Gap) -> Iterator[Any]:
        one, other = (self._one.part,), (self._other.part,)
        last = gap.place[-1] if gap.place else None
        if gap.keyword == "required" and isinstance(last, str):

            def without(taken: Parts, kept: Parts) -> Iterator[Any]:
                missing = self._one.part.asked({"not": {"required": [last]}, "type": "object"})
                for value in self._objects(taken, kept):
                    yield {name: item for name, item in value.items() if name != last}
                yield from islice(self._examples.values((*taken, missing)), MAX_VALUES)

            yield from self._examples.around(gap.place[:-1], without, one, other)
        else:
            # What a default does shows only when it is filled.
            inner = self._taken if gap.keyword == "default" else self._refused
            yield from self._examples.around(gap.place, inner, one, other)

    def _objects(self, taken: Parts, kept: Parts) -> Iterator[Any]:
        parts = (*taken, *kept, self._one.part.asked({"type": "object"}))
        yield from islice(self._examples.values(parts), MAX_VALUES)

    def _taken(self, taken: Parts, kept: Parts) -> Iterator[Any]:
        yield from islice(self._examples.values(taken, kept), MAX_TRIED)

    def _refused(self, taken: Parts, kept: Parts) -> Iterator[Any]:
        """Yield values that one schema takes at a place and the other does not."""
        yield from (one for one in self._taken(taken, kept) if not accepts(kept, one))


def _is_about(place: Place, fault: Fault) -> bool:
    """Say whether a fault lies at a place, within it, or is one of what holds it."""
    tokens = fault.pointer.split("/")[1:]
    for step, token in zip(place, tokens, strict=False):
        if not _meets(step, token.replace("~1", "/").replace("~0", "~")):
            return False
    missing = len(place) - len(tokens)
    return missing <= 0 or fault.keyword in _OF_THE_WHOLE


def _meets(step: Step, token: str) -> bool:
    if isinstance(step, str | int):
        return str(step) == token
    return isinstance(step, EachName) or (token.isdigit() and int(token) >= step.start)

"""The comparison: all differences, and in each direction what is proven, broken or not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from migration.compat.differences import Difference, differences
from migration.compat.gaps import Gap
from migration.compat.judging import lists_all
from migration.compat.places import shown
from migration.compat.proof import Prover
from migration.compat.search import CounterExample, Search
from migration.compat.sides import Side
from migration.examples import Examples

Verdict = Literal["compatible", "breaks", "undecided"]
MAX_SEARCHED = 8

# Differences by these keywords may tell on anything within the value.
_WIDE = frozenset(
    (
        *("additionalProperties", "anyOf", "default", "dependencies", "else", "enum", "not"),
        *("oneOf", "patternProperties", "properties", "propertyNames", "then", "type"),
    )
)
_VAGUE = frozenset(("default", "proof"))


@dataclass(frozen=True, slots=True)
class Effect:
    """What a difference does to events that were valid on one side.

    `verdict` is about all of them, `declared` about those whose properties that side lists all.
    `example` proves a break.
    """

    verdict: Verdict = "compatible"
    declared: Verdict = "compatible"
    example: CounterExample | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference; `backward`: do events of before stay valid; `forward`: were later ones."""

    difference: Difference
    backward: Effect
    forward: Effect


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences of two schemas."""

    old: Side
    new: Side
    findings: list[Finding]

    def verdict(self, direction: str, *, declared: bool = False) -> Verdict:
        """Return what is known of all differences together, "backward" or "forward"."""
        effects = [
            one.backward if direction == "backward" else one.forward for one in self.findings
        ]
        verdicts = {one.declared if declared else one.verdict for one in effects}
        for worst in ("breaks", "undecided"):
            if worst in verdicts:
                return worst
        return "compatible"


def compare(old: Side, new: Side) -> Comparison:
    """Compare two schemas. Only what is proven is called compatible, only what was seen a break."""
    examples = Examples()
    found = list(differences((old.part,), (new.part,)))
    backward = _gaps(old, new)
    forward = _gaps(new, old)
    for gap in (*backward[0], *forward[0]):
        if _difference_of(gap, found) is None:
            found.append(Difference(gap.place, gap.keyword, None, None))
    forth = _effects(found, *backward, Search(old, new, examples), old)
    back = _effects(found, *forward, Search(new, old, examples), new)
    return Comparison(
        old,
        new,
        [Finding(*one) for one in zip(found, forth, back, strict=True)],
    )


def _gaps(one: Side, other: Side) -> tuple[list[Gap], set[Gap]]:
    """Return all gaps, and which of them are there for declared properties, too."""
    thing = one.part.asked({"type": "object"})  # events are objects
    parts = (thing, one.part)
    return Prover().gaps(parts, (other.part,)), set(
        Prover(declared=True).gaps(parts, (other.part,))
    )


def _effects(
    found: Sequence[Difference],
    gaps: Sequence[Gap],
    declared: set[Gap],
    search: Search,
    taker: Side,
) -> list[Effect]:
    by_difference: dict[int, list[Gap]] = {}
    for gap in gaps:
        difference = _difference_of(gap, found)
        assert difference is not None  # one was made for it
        by_difference.setdefault(found.index(difference), []).append(gap)
    return [
        _effect(by_difference.get(index, []), gaps, declared, search, taker)
        for index in range(len(found))
    ]


def _effect(
    gaps: Sequence[Gap],
    everywhere: Sequence[Gap],
    declared: set[Gap],
    search: Search,
    taker: Side,
) -> Effect:
    listed = [gap for gap in gaps if gap in declared]
    example = _example(listed, everywhere, search)
    if example is not None:
        listing = lists_all((taker.part,), example.event)
        return Effect("breaks", "breaks" if listing else "undecided", example)
    others = [gap for gap in gaps if gap not in declared]
    example = _example(others, everywhere, search)
    known: Verdict = "undecided" if listed else "compatible"
    if example is not None:
        return Effect("breaks", known, example)
    return Effect("undecided" if gaps else "compatible", known)


def _example(
    gaps: Sequence[Gap], everywhere: Sequence[Gap], search: Search
) -> CounterExample | None:
    for gap in gaps[:MAX_SEARCHED]:
        found = search.for_gap(gap, everywhere)
        if found is not None:
            return found
    return None


def _difference_of(gap: Gap, found: Sequence[Difference]) -> Difference | None:
    """Return the difference that a gap comes from; None if there is none that fits."""
    pointer = shown(gap.place)
    best: tuple[tuple[bool, int, bool], Difference] | None = None
    for difference in found:
        at = difference.pointer
        word = difference.keyword == gap.keyword
        wide = difference.keyword in _WIDE
        same = at == pointer and (word or wide or gap.keyword in _VAGUE)
        above = pointer.startswith(f"{at}/") and (word or (at != "" and wide))
        if not (same or above):
            continue
        rank = (same and word, len(at), word)
        if best is None or rank > best[0]:
            best = rank, difference
    return best[1] if best else None

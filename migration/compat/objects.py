"""The rules of proof for objects."""

from itertools import combinations

from migration.compat.gaps import At, Gap, Proving
from migration.compat.judging import accepts
from migration.compat.places import EachName, Step
from migration.compat.reading import view_of
from migration.compat.scalars import required_of
from migration.compat.views import Part, Parts, View

MAX_PATTERNS = 4


def object_gaps(proof: Proving, one: View, other: View, at: At) -> list[Gap]:
    """Return where `other` may refuse an object that `one` takes."""
    present = required_of(one, at_least=True)
    gaps = [
        Gap((*at.place, name), "required")
        for name in required_of(other, at_least=False)
        if name not in present
    ]
    names, unnamed, found = _property_gaps(proof, one, other, at)
    gaps += found
    if other.min_properties > max(one.min_properties, len(present)):
        gaps.append(Gap(at.place, "minProperties"))
    if other.max_properties is not None:
        bounds = [] if one.max_properties is None else [one.max_properties]
        bounds += [] if unnamed else [len(names)]
        if not bounds or min(bounds) > other.max_properties:
            gaps.append(Gap(at.place, "maxProperties"))
    if other.names:
        gaps += _name_gaps(proof, one, other, names, at, unnamed=unnamed)
    gaps += [
        Gap(at.place, "dependencies")
        for name, wanted in other.dependencies
        if (unnamed or name in names) and not _depends(proof, one, (name, wanted), present, at)
    ]
    return gaps


def _property_gaps(
    proof: Proving, one: View, other: View, at: At
) -> tuple[list[str], bool, list[Gap]]:
    """Return the names that `one` may have, whether it may have others, and the gaps."""
    listed = list(one.listed | other.listed)
    limited = view_of(one.names).options if one.names else None
    if limited is not None:
        listed += [name for name in limited if isinstance(name, str) and name not in listed]
    names: list[str] = []
    gaps: list[Gap] = []
    for name in listed:
        if one.names and not accepts(one.names, name):
            continue
        if proof.declared and name not in one.listed and not one.is_open:
            continue
        below = at.below(name)
        if not proof.empty(one.child(name), below):
            names.append(name)
            gaps += _gaps_below(proof, one.child(name), other.child(name), below)
    if limited is not None or (proof.declared and not one.is_open):
        return names, False, gaps
    unnamed = False
    patterns = sorted(one.all_patterns | other.all_patterns)
    if len(patterns) > MAX_PATTERNS:
        return names, True, [*gaps, Gap(at.place, "patternProperties")]
    for count in range(len(patterns) + 1):
        for matching in combinations(patterns, count):
            step: Step = EachName(frozenset(matching), frozenset(patterns))
            below = at.below(step)
            if not proof.empty(one.unnamed(matching), below):
                unnamed = True
                gaps += _gaps_below(proof, one.unnamed(matching), other.unnamed(matching), below)
    return names, unnamed, gaps


def _gaps_below(proof: Proving, first: Parts, second: Parts, at: At) -> list[Gap]:
    if not view_of(second).kinds:
        return [Gap(at.place, "additionalProperties")]
    return proof.between(first, second, at)


def _name_gaps(
    proof: Proving, one: View, other: View, names: list[str], at: At, *, unnamed: bool
) -> list[Gap]:
    gaps = [
        Gap((*at.place, name), "propertyNames") for name in names if not accepts(other.names, name)
    ]
    if unnamed:
        text = other.names[0].asked({"type": "string"})
        if proof.between((text, *one.names), tuple(other.names), at.deeper()):
            gaps.append(Gap(at.place, "propertyNames"))
    return gaps


def _depends(
    proof: Proving, one: View, rule: tuple[str, list[str] | Part], present: list[str], at: At
) -> bool:
    name, wanted = rule
    if not isinstance(wanted, Part):
        mine = [names for by, names in one.dependencies if by == name and isinstance(names, list)]
        known = {name, *present, *(each for names in mine for each in names)}
        return known.issuperset(wanted)
    if any(
        by == name and isinstance(part, Part) and not proof.between((part,), (wanted,), at.deeper())
        for by, part in one.dependencies
    ):
        return True
    there = wanted.asked({"type": "object", "required": [name]})
    return not proof.between((*one.parts, there), (wanted,), at.deeper())

"""The rules of proof for arrays."""

from migration.compat.gaps import At, Gap, Proving
from migration.compat.places import EachItem, Step
from migration.compat.views import Part, View


def array_gaps(proof: Proving, one: View, other: View, at: At) -> list[Gap]:
    """Return where `other` may refuse an array that `one` takes."""
    gaps = []
    if other.min_items > max(one.min_items, 1 if one.contains else 0):
        gaps.append(Gap(at.place, "minItems"))
    most = one.max_items
    if other.max_items is not None and (most is None or most > other.max_items):
        gaps.append(Gap(at.place, "maxItems"))
    if other.unique and not one.unique and (most is None or most > 1):
        gaps.append(Gap(at.place, "uniqueItems"))
    gaps += [
        Gap(at.place, "contains")
        for part in other.contains
        if not _contains(proof, one, part, at.deeper())
    ]
    return gaps + _item_gaps(proof, one, other, at)


def _item_gaps(proof: Proving, one: View, other: View, at: At) -> list[Gap]:
    gaps: list[Gap] = []
    positions = max(one.positions, other.positions)
    for position in range(positions + 1):
        step: Step = position if position < positions else EachItem(positions)
        if one.max_items is not None and position >= one.max_items:
            break
        below = at.below(step)
        if proof.empty(one.item(position), below):
            break  # no array is longer
        gaps += proof.between(one.item(position), other.item(position), below)
    return gaps


def _contains(proof: Proving, one: View, wanted: Part, at: At) -> bool:
    if any(not proof.between((part,), (wanted,), at) for part in one.contains):
        return True
    first = one.item(0)
    return one.min_items > 0 and not proof.between(first, (wanted,), at)

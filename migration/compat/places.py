"""Places in events: the pointer to a value that is there, or to every value of a sort."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.json import escaped
from migration.compat.views import Pattern


@dataclass(frozen=True, slots=True)
class EachItem:
    """Every item of an array from a position on."""

    start: int = 0


@dataclass(frozen=True, slots=True)
class EachName:
    """Every property that is not listed and whose name matches just these patterns.

    `patterns` are those that decide, matched or not.
    """

    matching: frozenset[Pattern] = frozenset()
    patterns: frozenset[Pattern] = frozenset()


Step = str | int | EachItem | EachName
Place = tuple[Step, ...]


def shown(place: Iterable[Step]) -> str:
    """Return a place as a JSON pointer in which `*` stands for each item or name."""
    return "".join(f"/{escaped(step)}" if isinstance(step, str | int) else "/*" for step in place)

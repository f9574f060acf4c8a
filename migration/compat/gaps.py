"""Gaps in a proof, and where a proof stands."""

from dataclasses import dataclass, replace
from typing import Protocol

from migration.compat.places import Place, Step
from migration.compat.views import Parts


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody knows that the second schema takes what the first does here.

    `keyword` is the second one's that might refuse it; "proof" if the proof was given up.
    """

    place: Place
    keyword: str


@dataclass(frozen=True, slots=True)
class At:
    """Where a proof stands: `level` counts schemas of one value, `split` the choices taken."""

    place: Place = ()
    level: int = 0
    split: frozenset[tuple[int, str]] = frozenset()

    def below(self, step: Step) -> "At":
        """Return where a value within this one is."""
        return At((*self.place, step))

    def deeper(self, *split: tuple[int, str]) -> "At":
        """Return the same value under more schemas."""
        return replace(self, level=self.level + 1, split=self.split | set(split))


class Proving(Protocol):
    """What the rules for arrays and objects need of the whole proof."""

    declared: bool

    def between(self, first: Parts, second: Parts, at: At) -> list[Gap]:
        """Return where it is not proven that `second` takes what `first` takes."""
        ...

    def empty(self, parts: Parts, at: At) -> bool:
        """Say whether it is proven that no value is taken."""
        ...

"""Which faults happen, in which order and for how long: all of it follows from a seed."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CALM = (4.0, 12.0)
"""Seconds between the end of a fault and the next one of its lane."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to come: after `calm` seconds, for `seconds`; `pick` chooses who suffers it."""

    kind: str
    calm: float
    seconds: float
    pick: int

    def __str__(self) -> str:
        return f"{self.kind} for {self.seconds:.1f} s, after {self.calm:.1f} s (pick {self.pick})"


def faults(
    seed: int, lane: str, kinds: Mapping[str, tuple[float, float]], calm: tuple[float, float] = CALM
) -> Iterator[Fault]:
    """Yield faults without end; `kinds` are the shortest and longest time of each.

    Each kind comes once before any comes again, so that a run of a few minutes sees all of them.
    """
    # Nothing here keeps a secret: it has to come out the same again.
    chance = random.Random(f"{seed}/{lane}")
    while kinds:
        deck = sorted(kinds)
        chance.shuffle(deck)
        for kind in deck:
            yield Fault(
                kind=kind,
                calm=chance.uniform(*calm),
                seconds=chance.uniform(*kinds[kind]),
                pick=chance.randrange(1_000),
            )

"""The tally: how many lines were consumed, and what became of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts lines that are done with, and tries that had to be repeated."""

    accepted: int = 0
    invalid: int = 0
    retried: int = 0
    size: int = 0
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def lines(self) -> int:
        return self.accepted + self.invalid

    def facts(self) -> Mapping[str, object]:
        """Return the figures for the log."""
        seconds = self.clock() - self.began
        return {
            "lines": self.lines,
            "accepted": self.accepted,
            "invalid": self.invalid,
            "retried": self.retried,
            "seconds": f"{seconds:.1f}",
        }

"""What whoever converts may choose."""

import re
from dataclasses import dataclass
from typing import Self

from app.core.errors import ConfigError

SAFE = 2**53 - 1
"""The largest integer that is exact in a double, and so in JavaScript."""

CAPSULE = "/fragment/analytics/legacy/eventcapsule/1.2.0"
FIRST_VERSION = "1.0.0"

_RANGE = re.compile(r"(-?[0-9]{1,30}):(-?[0-9]{1,30})")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is written at each number that has no bound of its own."""

    minimum: int = -SAFE
    maximum: int = SAFE

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `safe`, `none` or `MIN:MAX`; raises ConfigError."""
        if text == "none":
            return None
        if text == "safe":
            return cls()
        found = _RANGE.fullmatch(text)
        if found is None or int(found[1]) >= int(found[2]):
            raise ConfigError(
                f"--numeric-bounds: {text!r} is neither safe nor none, nor two whole numbers like "
                "--numeric-bounds=-1000:1000."
            )
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Options:
    """How to convert. `bounds` of None writes no bounds; the capsule is a fragment's URI."""

    closed_event: bool = False
    bounds: Bounds | None = Bounds()
    version: str = FIRST_VERSION
    capsule: str = CAPSULE

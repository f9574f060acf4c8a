"""What a fuzz target is: one function of bytes, which raises only if the service has a defect."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

FOUND = Path(__file__).parent / "found"
"""Inputs that once showed a defect, a folder for each target: every run of the tests tries them."""


class Target(NamedTuple):
    """`one` takes an input and raises for a defect; `seeds` are inputs worth to begin with."""

    name: str
    one: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]

    @property
    def found(self) -> list[bytes]:
        """The inputs that once showed a defect."""
        return [path.read_bytes() for path in sorted((FOUND / self.name).glob("*"))]


def split(data: bytes, ways: int) -> tuple[int, bytes]:
    """Return a choice between `ways`, made by the first byte, and the rest."""
    return (data[0] % ways if data else 0), data[1:]


def chosen(choice: int, rest: bytes) -> bytes:
    """Return the input that `split` takes apart so."""
    return bytes([choice]) + rest

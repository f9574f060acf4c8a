"""Random identifiers, cheap enough for one per event."""

import os

_POOL = 256
_SIZE = 16
_DIGITS = 2 * _SIZE
_LINE = _DIGITS + 5
"""Characters of an id with its four dashes, and a separator."""
_DASHES = (8, 13, 18, 23)
_VERSION = 14
_VARIANT = 19
_PLACES = [place for place in range(_LINE - 1) if place not in _DASHES]
_TO_VARIANT = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)
_EMPTY = bytearray((b" " * (_LINE - 1) + b"\n") * _POOL)
for _place in _DASHES:
    _EMPTY[_place::_LINE] = b"-" * _POOL


class UuidPool:
    """Random UUIDs (version 4) as text; keeps some that were made in advance.

    One `os.urandom` call serves 256 ids: a read per id would cost five times as much, and to make
    them one by one four times. Not shared between processes: build one after a fork.
    """

    def __init__(self) -> None:
        self._ready: list[str] = []

    def next(self) -> str:
        """Return a new id such as `6f9619ff-8b86-4d01-b42d-00cf4fc964ff`."""
        if not self._ready:
            self._ready = _many()
        return self._ready.pop()


def _many() -> list[str]:
    # All ids at once, one digit of each after the other: a quarter of the time of one by one.
    digits = os.urandom(_POOL * _SIZE).hex().encode()
    lines = _EMPTY.copy()
    for number, place in enumerate(_PLACES):
        lines[place::_LINE] = digits[number::_DIGITS]
    lines[_VERSION::_LINE] = b"4" * _POOL
    lines[_VARIANT::_LINE] = lines[_VARIANT::_LINE].translate(_TO_VARIANT)
    return lines.decode().split()

"""Random identifiers, cheap enough for one per event."""

import os

_POOL = 256
_SIZE = 16
_DIGITS = 2 * _SIZE
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class UuidPool:
    """Random UUIDs (version 4) as text; keeps some that were made in advance.

    One `os.urandom` call serves 256 ids: a read per id would cost five times as much, and to make
    them one by one half as much again. Not shared between processes: build one after a fork.
    """

    def __init__(self) -> None:
        self._ready: list[str] = []

    def next(self) -> str:
        """Return a new id such as `6f9619ff-8b86-4d01-b42d-00cf4fc964ff`."""
        if not self._ready:
            self._ready = _many()
        return self._ready.pop()


def _many() -> list[str]:
    text = os.urandom(_POOL * _SIZE).hex()
    return [
        f"{text[i : i + 8]}-{text[i + 8 : i + 12]}-4{text[i + 13 : i + 16]}-"
        f"{_VARIANT[text[i + 16]]}{text[i + 17 : i + 20]}-{text[i + 20 : i + _DIGITS]}"
        for i in range(0, _POOL * _DIGITS, _DIGITS)
    ]

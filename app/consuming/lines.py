"""Raw lines of old logs: each knows where it stands, and cutting bytes into lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

MAX_LINE = 1_048_576
"""Bytes of the longest line that is kept."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One raw line. `text` is None if it was too long to be kept.

    `origin` and `number` say where it stands, to people and for its identity; `written_ms` is when
    it was put there, if that is known.
    """

    text: bytes | None
    origin: str
    number: int
    written_ms: int = 0

    def __str__(self) -> str:
        return f"{self.origin} {self.number}"

    @property
    def size(self) -> int:
        return len(self.text or b"")

    @property
    def event_id(self) -> str:
        """An identity for the event of a line that gives it none: the same, whoever reads it."""
        digest = sha256(self.text or b"").hexdigest()
        return str(uuid5(NAMESPACE_URL, f"line://{self} {self.written_ms} {digest}"))


class Splitter:
    """Cuts bytes into lines as they come; remembers how many there were, and the begun one.

    Line ends are left out, and so are empty lines, but these are counted.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.number = 0
        self._begun: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """Return the lines that end in `data`."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._keep(data[start:end])
            start = end + 1
            yield from self._line()
        if start < len(data):
            self._keep(data[start:])

    def close(self) -> Iterator[Line]:
        """Return the last line, if it has no end."""
        if self._size:
            yield from self._line()

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= MAX_LINE + 1:  # a carriage return may still go
            self._begun.append(part)
        else:
            self._begun.clear()

    def _line(self) -> Iterator[Line]:
        self.number += 1
        text: bytes | None = None
        if self._size <= MAX_LINE + 1:
            text = b"".join(self._begun).removesuffix(b"\r")
            if self.number == 1:
                text = text.removeprefix(_BOM)
            if len(text) > MAX_LINE:
                text = None
        self._begun.clear()
        self._size = 0
        if text is None or text.strip():
            yield Line(text, self._origin, self.number)

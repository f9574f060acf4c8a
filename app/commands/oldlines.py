"""Old events in files: one per line, as a log line, as a beacon's query or as a capsule in JSON."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

MAX_LINE = 1_048_576

Kind = Literal["line", "query", "capsule"]

_BOM = b"\xef\xbb\xbf"
_URL = re.compile(rb"(?:https?:/)?/[^?\s]*\?")


@dataclass(frozen=True, slots=True)
class OldLine:
    """One line of a file. `text` is None if it was too long to be kept; `end` is where it ends."""

    number: int
    text: bytes | None
    end: int


def lines_of(source: BinaryIO) -> Iterator[OldLine]:
    """Read lines one by one, without their ends; empty ones are left out."""
    number = end = 0
    while chunk := source.readline(MAX_LINE + 1):
        number += 1
        end += len(chunk)
        text: bytes | None = chunk.rstrip(b"\r\n")
        if len(chunk) > MAX_LINE and not chunk.endswith(b"\n"):
            text = None
            while chunk and not chunk.endswith(b"\n"):
                chunk = source.readline(MAX_LINE + 1)
                end += len(chunk)
        if number == 1 and text is not None:
            text = text.removeprefix(_BOM)
        if text is None or text.strip():
            yield OldLine(number, text, end)


def kind_of(text: bytes) -> Kind:
    """Say what a line looks like: JSON, a log line with its columns, or else a query."""
    start = text.lstrip()
    if start.startswith((b"{", b"[")):
        return "capsule"
    return "line" if len(start.split(maxsplit=1)) > 1 else "query"


def query_in(text: bytes) -> bytes:
    """Return the query of a line that is one, or a whole URL."""
    stripped = text.strip()
    found = _URL.match(stripped)
    return stripped[found.end() :] if found else stripped

"""The write-ahead log beside a spool's file, read without SQLite, behind damaged places too.

SQLite ends its log at the first page whose checksum is wrong, and drops what was committed behind
it without a word. The format is that of https://sqlite.org/fileformat2.html#the_write_ahead_log.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct(">8I")  # magic, version, page size, checkpoints, salt (2), checksum (2)
_FRAME = struct.Struct(">6I")  # page, pages after a commit, salt (2), checksum (2)


def pages_in_wal(wal: Path, page_size: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of every page of the log up to its last commit, oldest first.

    Checksums are not looked at: whoever reads the pages must be able to tell. Behind its end a log
    may have left-overs of commits that failed, which are taken for a part of it.
    """
    if not wal.exists():
        return
    size = _FRAME.size + page_size
    with wal.open("rb") as file:
        salt = _salt(file.read(_HEADER.size + 2 * size), size)
        end = 0
        for at in range(_HEADER.size, wal.stat().st_size - size + 1, size):
            file.seek(at)
            _, pages, *marks = _FRAME.unpack(file.read(_FRAME.size))[:4]
            if pages and tuple(marks) == salt:
                end = at + size
        for at in range(_HEADER.size, end, size):
            file.seek(at)
            frame = file.read(size)
            page = _FRAME.unpack_from(frame)[0]
            yield page, frame[_FRAME.size :]


def _salt(head: bytes, size: int) -> tuple[int, int]:
    """Return the two words that mark this generation of the log: of three places, two agree."""
    places = [
        struct.unpack_from(">2I", head, at)
        for at in (16, _HEADER.size + 8, _HEADER.size + size + 8)
        if at + 8 <= len(head)
    ]
    found = max(places, key=places.count, default=(0, 0))
    return found[0], found[1]

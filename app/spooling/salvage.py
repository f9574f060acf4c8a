"""Salvage: a damaged file of a spool is replaced by a new one with all that can still be read.

The damaged one is kept beside it for the operator. A process may be killed at any moment of this:
nothing that was in the old file is then in neither.
"""

import os
import shutil
import sqlite3
import struct
from collections.abc import Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.spooling.format import PAGE, connect_to_look, make, sync_folder
from app.spooling.row import COLUMNS, REFUSE, CorruptRow, columns_of, refused_columns, row_of
from app.spooling.wal import pages_in_wal

_MOST_QUERIES = 200_000  # about ten seconds; only a file that has lost its trunk takes as many
_INSERT = f"INSERT INTO spool ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (no value is in it)
_ALL = f"SELECT {COLUMNS} FROM spool NOT INDEXED ORDER BY id"  # noqa: S608 (the same)
_RANGE = f"SELECT {COLUMNS} FROM spool NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 (the same)
_ONE = f"SELECT {COLUMNS} FROM spool NOT INDEXED WHERE id = ?"  # noqa: S608 (the same)
_INDEX = "SELECT id FROM spool INDEXED BY spool_streams ORDER BY stream, id"
_SEQUENCE = "SELECT seq FROM sqlite_sequence WHERE name = 'spool'"
_MOST_IDS = 2**62


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged file's records, and where the file is now.

    `corrupt` ones are kept as refused; `lost` ones could not be read at all, as far as is known.
    """

    kept: int
    corrupt: int
    lost: int
    broken: Path


def salvage(path: Path, destination: str, *, last: int, waiting: int, now_ms: int) -> Salvaged:
    """Put a new file in the place of the damaged one at `path`.

    `last` and `waiting` are what is known of it otherwise. Raises OSError or sqlite3.Error if there
    is no room for the new file; the damaged one is then as it was.
    """
    fresh = Path(f"{path}.new")
    copy = Path(f"{path}.copy")
    remove(fresh)
    make(fresh, destination, last=last)
    try:
        source = _mended_copy(path, copy, fresh)
        with closing(connect_to_look(source)) as old, closing(sqlite3.connect(fresh)) as new:
            new.execute("PRAGMA synchronous = FULL")
            kept, corrupt, lost = _copied(old, new, last, waiting, now_ms)
    finally:
        remove(copy)
    broken = Path(f"{path}.broken-{now_ms}")
    fresh.replace(f"{path}.salvaged")
    sync_folder(path.parent)
    finish(path, broken)
    return Salvaged(kept, corrupt, lost, broken)


def finish(path: Path, broken: Path) -> None:
    """Put a file that was salvaged in its place, if there is one; raises OSError."""
    salvaged = Path(f"{path}.salvaged")
    if not salvaged.exists():
        return
    for end in ("", "-wal"):
        old = Path(f"{path}{end}")
        if old.exists() and old.stat().st_size:
            old.replace(f"{broken}{end}")
    remove(path)  # what is left of it was empty, or is made anew at need
    sync_folder(path.parent)
    salvaged.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a SQLite file with those beside it; raises OSError."""
    for end in ("-shm", "-journal", "-wal", ""):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _mended_copy(path: Path, copy: Path, fresh: Path) -> Path:
    """Return a copy with the whole log in it and an intact first page; `path` if it has no room.

    The first page says where the tables are: that is the same in every file of a format.
    """
    try:
        shutil.copyfile(path, copy)
        wal = Path(f"{path}-wal")
        # A damaged page number must not make the copy huge.
        most = (path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)) // PAGE + 1
        with copy.open("r+b") as file:
            for page, content in pages_in_wal(wal, PAGE):
                if 0 < page <= most:
                    file.seek((page - 1) * PAGE)
                    file.write(content)
            pages = max(1, -(-file.seek(0, os.SEEK_END) // PAGE))
            with fresh.open("rb") as template:
                first = bytearray(template.read(PAGE))
            struct.pack_into(">3I", first, 28, pages, 0, 0)  # no page is free
            first[92:96] = first[24:28]  # and that is up to date
            file.seek(0)
            file.write(first)
            file.truncate(pages * PAGE)
    except OSError:
        remove(copy)
        return path
    return copy


def _copied(
    old: sqlite3.Connection, new: sqlite3.Connection, last: int, waiting: int, now_ms: int
) -> tuple[int, int, int]:
    """Copy all that can be read; return how many rows were kept, corrupt and lost."""
    indexed, whole = _indexed(old)
    last = max(last, _last(old))
    found: set[int] = set()
    corrupt = 0
    new.execute("BEGIN")
    for columns in _rows(old, last, indexed, found):
        if columns[0] in found:
            continue
        try:
            row = row_of(columns)
            new.execute(_INSERT, columns_of(row.id, row.record, row.spooled_ms))
            found.add(row.id)
            last = max(last, row.id)
        except CorruptRow as error:
            if not 0 < columns[0] <= last:
                continue  # no such id was ever given: what looks like a row is none
            found.add(columns[0])
            corrupt += 1
            new.execute(REFUSE, refused_columns(columns, now_ms, "corrupt", str(error)))
    for columns in _until_damage(old, "SELECT rowid, * FROM refused ORDER BY rowid"):
        new.execute(REFUSE, refused_columns(columns[1:10], *columns[10:]))
    new.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'spool'", (last,))
    new.execute("COMMIT")
    lost = len(indexed - found)
    if not whole or last > max(indexed, default=0):
        lost = max(lost, waiting - len(found))
    return len(found) - corrupt, corrupt, lost


def _rows(
    db: sqlite3.Connection, last: int, indexed: AbstractSet[int], found: AbstractSet[int]
) -> Iterator[tuple[Any, ...]]:
    """Yield each row that can be read, some more than once: from both ends, then what is between.

    `found` is what the caller has of them already.
    """
    yield from _until_damage(db, _ALL)
    if indexed <= found and last in found:
        return
    yield from _until_damage(db, f"{_ALL} DESC")
    ranges = [(1, last)]
    for _ in range(_MOST_QUERIES):
        if not ranges:
            break
        low, high = ranges.pop()
        at = low
        try:
            for columns in db.execute(_RANGE, (low, high)):
                yield columns
                at = max(at, columns[0] + 1)
        except sqlite3.Error:
            if at < high:
                middle = (at + high) // 2
                ranges += [(middle + 1, high), (at, middle)]
    # A row whose number is damaged ends a range before its time; another one is next to it.
    for row_id in sorted(indexed - found)[:_MOST_QUERIES]:
        yield from _until_damage(db, _ONE, (row_id,))


def _indexed(db: sqlite3.Connection) -> tuple[set[int], bool]:
    """Return the ids in the index, and whether all of it could be read."""
    ids: set[int] = set()
    rows = _until_damage(db, _INDEX)
    while True:
        try:
            ids.add(next(rows)[0])
        except StopIteration as end:
            return ids, bool(end.value)


def _last(db: sqlite3.Connection) -> int:
    found = [row[0] for row in _until_damage(db, _SEQUENCE)]
    return min(max(found[0], 0), _MOST_IDS) if found and isinstance(found[0], int) else 0


def _until_damage(
    db: sqlite3.Connection, query: str, values: Sequence[Any] = ()
) -> Generator[tuple[Any, ...], None, bool]:
    """Yield rows up to the first that cannot be read, or that was there before; say if all were."""
    seen = set()
    try:
        for columns in db.execute(query, values):
            if columns[0] in seen:
                return False
            seen.add(columns[0])
            yield columns
    except sqlite3.Error:
        return False
    return True

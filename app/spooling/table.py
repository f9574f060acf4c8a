"""The rows of a spool's file, through one connection: appended, read, settled and counted."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.core.errors import UnknownDelivery
from app.core.events import Record
from app.spooling.row import (
    COLUMNS,
    REFUSE,
    SIZE,
    CorruptRow,
    Row,
    columns_of,
    refused_columns,
    row_of,
    size_of,
)

# ruff: noqa: S608 (statements are put together of names of columns only)
_INSERT = f"INSERT INTO spool ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_READ = f"SELECT {COLUMNS} FROM spool INDEXED BY spool_streams WHERE stream = ? ORDER BY id LIMIT ?"
_DELETE = "DELETE FROM spool WHERE id = ?"
_OLDEST = (
    "SELECT spooled_ms FROM spool INDEXED BY spool_streams WHERE stream = ? ORDER BY id LIMIT 1"
)
_TALLIES = (
    f"SELECT stream, count(*), sum({SIZE}), min(spooled_ms) FROM spool NOT INDEXED GROUP BY stream"
)
_REFUSED_SIZE = f"SELECT ifnull(sum({SIZE}), 0) FROM refused"
_VACUUM_FROM = 64  # free pages: 1 MiB
_VACUUM_PAGES = 2048  # at once: 32 MiB
# A COMMIT that fails with one of these counts for nothing; see app.eventlog.
_NOT_COMMITTED = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits of one stream in one file."""

    records: int
    size: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that will never be sent, and why."""

    row: Row
    reason: str
    sentence: str


class SpoolTable:
    """For one thread at a time. What SQLite cannot do raises sqlite3.Error, and may be rolled back.

    `last` is the greatest id ever given, `tallies` says what waits per stream, `refused_size` how
    many bytes are kept of what was refused, and `dropped` counts what will not be delivered.
    """

    def __init__(self, db: sqlite3.Connection, *, last: int, dropped: Counter[str]) -> None:
        self.db = db
        self.last = last
        self.dropped = dropped
        self.tallies: Mapping[str, Tally] = {}
        self.refused_size = 0
        self.recount()

    def append(self, records: Sequence[Record], now_ms: int) -> list[int]:
        """Commit the records, all or none; return the id of each.

        Raises UnkeepableRecord, or UnknownDelivery if they may come to light after a crash.
        """
        rows = [
            columns_of(row_id, record, now_ms)
            for row_id, record in enumerate(records, start=self.last + 1)
        ]
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(_INSERT, rows)
        self._commit()
        self.last += len(rows)
        tallies = dict(self.tallies)
        for record in records:
            before = tallies.get(record.stream, Tally(0, 0, now_ms))
            size = before.size + size_of(record)
            tallies[record.stream] = Tally(before.records + 1, size, before.oldest_ms)
        self.tallies = tallies
        return [row[0] for row in rows]

    def read(self, stream: str, max_records: int, max_bytes: int, now_ms: int) -> list[Row]:
        """Return the oldest rows of a stream, at least one if any waits.

        Rows that are not what was written are refused on the way.
        """
        rows: list[Row] = []
        while stream in self.tallies and not rows:
            corrupt = []
            size = 0
            found = self.db.execute(_READ, (stream, max_records))
            for columns in found:
                try:
                    row = row_of(columns)
                except CorruptRow as error:
                    corrupt.append((columns, str(error)))
                    continue
                size += row.size
                if rows and size > max_bytes:
                    break
                rows.append(row)
            found.close()
            if corrupt:
                self._refuse_corrupt(stream, corrupt, now_ms)
            elif not rows:
                raise damage("A stream's records are not where its index says.")
        return rows

    def settle(
        self, stream: str, delivered: Sequence[Row], refused: Sequence[Refused], now_ms: int
    ) -> None:
        """Forget what was delivered; keep what was refused apart, for the operator."""
        gone = [*delivered, *(each.row for each in refused)]
        self.db.execute("BEGIN IMMEDIATE")
        for each in refused:
            columns = columns_of(each.row.id, each.row.record, each.row.spooled_ms)
            self._refuse(columns, now_ms, each.reason, each.sentence)
        deleted = self.db.executemany(_DELETE, [(row.id,) for row in gone]).rowcount
        oldest = self.db.execute(_OLDEST, (stream,)).fetchone()
        self._commit()
        self.dropped["refused"] += len(refused)
        before = self.tallies.get(stream, Tally(0, 0, now_ms))
        left = before.records - len(gone)
        if deleted != len(gone) or left < 0 or bool(left) != bool(oldest):
            self.recount()  # the file was salvaged meanwhile, or somebody changed it by hand
        else:
            size = before.size - sum(row.size for row in gone)
            tallies = {name: tally for name, tally in self.tallies.items() if name != stream}
            self.tallies = {**tallies, stream: Tally(left, size, oldest[0])} if left else tallies
            self.refused_size += sum(each.row.size for each in refused)
        self._give_back_space()

    def refused(self) -> list[tuple[Any, ...]]:
        """Return what was refused, for `keep_refused` of another table."""
        return self.db.execute("SELECT * FROM refused ORDER BY rowid").fetchall()

    def keep_refused(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep what was refused elsewhere."""
        self.db.execute("BEGIN IMMEDIATE")
        for row in rows:
            self._refuse(row[:9], *row[9:])
        self._commit()
        self.recount()

    def recount(self) -> None:
        """Count what waits, row by row; raises sqlite3.Error if the rows make no sense."""
        tallies = {}
        for stream, records, size, oldest_ms in self.db.execute(_TALLIES):
            try:
                tallies[stream.decode()] = Tally(records, size, oldest_ms + 0)
            except (AttributeError, TypeError, UnicodeDecodeError) as error:
                raise damage("A row has no readable stream or time.") from error
        self.tallies = tallies
        self.refused_size = self.db.execute(_REFUSED_SIZE).fetchone()[0]

    def roll_back(self) -> None:
        """End a transaction that failed; raises sqlite3.Error."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def _refuse_corrupt(
        self, stream: str, corrupt: Sequence[tuple[Sequence[Any], str]], now_ms: int
    ) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        for columns, sentence in corrupt:
            self._refuse(columns, now_ms, "corrupt", sentence)
            self.db.execute(_DELETE, (columns[0],))
        self._commit()
        self.dropped["corrupt"] += len(corrupt)
        self.recount()
        logger.error(
            "Records in the spool are not what was written. They are kept apart; look at the disk.",
            extra={"stream": stream, "records": len(corrupt)},
        )

    def _refuse(self, columns: Sequence[Any], now_ms: int, reason: str, sentence: str) -> None:
        self.db.execute(REFUSE, refused_columns(columns, now_ms, reason, sentence))

    def _commit(self) -> None:
        try:
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if code & 0xFF in _NOT_COMMITTED or code == sqlite3.SQLITE_IOERR_WRITE:
                raise
            raise UnknownDelivery(f"The spool could not confirm it: {error}.") from error

    def _give_back_space(self) -> None:
        """Let the file shrink when little of it is in use, so that little has to be moved."""
        with suppress(sqlite3.Error):  # what was settled is, and the next time will do
            pages, free = (
                self.db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count")
            )
            if free > _VACUUM_FROM and free > pages * 3 // 4:
                # `execute` would end it after one page, since its rows have no columns.
                self.db.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
                # Only this makes the file itself shorter.
                self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def damage(sentence: str) -> sqlite3.DatabaseError:
    """Return the error that SQLite would raise had it found what we found."""
    error = sqlite3.DatabaseError(sentence)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error

"""The embedded log: events in one SQLite file, appended with group commit, read by offset.

Several processes may append to one file at the same time, and any number read it meanwhile.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.core.errors import (
    ConfigError,
    IntakeFailure,
    InternalFailure,
    SinkUnavailable,
    UnknownDelivery,
)
from app.core.events import Record
from app.groupwriter import MIB, GroupWriter
from app.logfile import is_busy, open_for_writing, primary_code
from app.logreader import LogReader

# One statement inserts up to 128 rows: sqlite3 gives up the interpreter lock at every statement,
# and beside a busy event loop getting it back costs more than a row. Powers of two keep the number
# of different statements, which SQLite compiles once each, small.
_MOST_ROWS = 128
_INSERT = (
    "INSERT INTO events (topic, stream, key, timestamp_ms, stored_ms, schema_uri, value) VALUES "
)
_INSERTS = {
    rows: _INSERT + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * rows)
    for rows in (1, 2, 4, 8, 16, 32, 64, _MOST_ROWS)
}

_DATA_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeEncodeError,
)
# A COMMIT that fails with one of these did not write its last frame, and counts for nothing. After
# any other (a failed fsync) all frames may be in the file, and a crash could bring them to life.
_NOT_COMMITTED = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY)

logger = logging.getLogger(__name__)


class EventLog(LogReader):
    """The log in one file. Reading needs no `open`; appending does, in each process, after a fork.

    `lock_timeout` bounds the wait for other processes that write, `timeout` the wait for an answer.
    `commits` counts the transactions that this object has committed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_pending_bytes: int = 64 * MIB,
        max_pending_records: int = 100_000,
        lock_timeout: float = 5.0,
        timeout: float = 7.0,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        super().__init__(path)
        self.commits = 0
        self._lock_timeout = lock_timeout
        self._factory = factory
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._writer = GroupWriter[int](
            self._write,
            name=f"The event log {self.path}",
            max_bytes=max_pending_bytes,
            max_records=max_pending_records,
            timeout=timeout,
        )

    def open(self) -> None:
        """Make or check the file, and take records from now on; raises ConfigError."""
        self._db = self._connect()
        self._inode = self._file.stat().st_ino
        self._writer.start()

    def close(self, grace: float = 5.0) -> None:
        """Write what waits within `grace` seconds; the rest is answered SinkUnavailable."""
        if self._writer.close(grace) and self._db:
            self._db.close()
            self._db = None

    async def append(self, records: Sequence[Record]) -> Sequence[int | IntakeFailure]:
        """Return the offset of each record once it is committed to disk. Raises nothing.

        An UnknownDelivery means that the record may be stored, every other failure that it is not.
        """
        return await self._writer.add(records)

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest records have waited to be written."""
        return self._writer.queue_time

    async def watch(self) -> None:
        """Answer in time whatever the disk does; a task of the opener's, cancelled before close."""
        await self._writer.watch()

    @property
    def trouble(self) -> str:
        """What keeps events from being stored, as far as the last write tells; else empty."""
        return self._writer.trouble

    def _write(self, records: Sequence[Record]) -> Sequence[int | IntakeFailure]:
        """Commit all records in one transaction; raises SinkUnavailable or UnknownDelivery."""
        try:
            return self._transaction(_insert_all, records)
        except _DATA_ERRORS:
            # One of them cannot be stored at all: the others shall not suffer for it.
            return self._transaction(_insert_each, records)

    def _transaction(
        self,
        insert: Callable[[sqlite3.Connection, Sequence[Record]], Sequence[int | IntakeFailure]],
        records: Sequence[Record],
    ) -> Sequence[int | IntakeFailure]:
        db = self._connection()
        try:
            self._begin(db)
            answers = insert(db, records)
        except sqlite3.Error as error:
            self._roll_back(db)
            if isinstance(error, _DATA_ERRORS):
                raise
            raise SinkUnavailable(f"The event log {self.path} refused it: {error}.") from error
        except BaseException:
            self._roll_back(db)
            raise
        try:
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(db)
            if primary_code(error) in _NOT_COMMITTED or _is_failed_write(error):
                raise SinkUnavailable(f"The event log {self.path} refused it: {error}.") from error
            raise UnknownDelivery(
                f"The event log {self.path} could not confirm it: {error}."
            ) from error
        self.commits += 1
        return answers

    def _connection(self) -> sqlite3.Connection:
        try:
            inode = self._file.stat().st_ino
        except OSError:
            inode = 0
        if inode != self._inode:
            # SQLite would go on writing to a file that has no name any more.
            raise SinkUnavailable(
                f"The event log {self.path} was moved, replaced or removed while in use; "
                "restart the service."
            )
        if self._db is None:  # a roll-back failed: only a new connection starts from a known state
            try:
                self._db = self._connect()
            except ConfigError as error:
                raise SinkUnavailable(str(error)) from error
        return self._db

    def _connect(self) -> sqlite3.Connection:
        return open_for_writing(self._file, lock_timeout=self._lock_timeout, factory=self._factory)

    def _begin(self, db: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._lock_timeout
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                if self._writer.out_of_time.wait(0.001):
                    raise
            else:
                return

    def _roll_back(self, db: sqlite3.Connection) -> None:
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except sqlite3.Error:
            logger.warning("A transaction could not be rolled back.", exc_info=True)
            db.close()
            self._db = None


def _insert_all(db: sqlite3.Connection, records: Sequence[Record]) -> Sequence[int]:
    stored_ms = time.time_ns() // 1_000_000
    at = 0
    last = 0
    while at < len(records):
        rows = min(_MOST_ROWS, 1 << (len(records) - at).bit_length() - 1)
        values: list[Any] = []
        for record in records[at : at + rows]:
            values += _row(record, stored_ms)
        last = db.execute(_INSERTS[rows], values).lastrowid or 0
        at += rows
    # AUTOINCREMENT, and nobody else writing before COMMIT: the offsets have no gap between them.
    return range(last - len(records) + 1, last + 1)


def _insert_each(
    db: sqlite3.Connection, records: Sequence[Record]
) -> Sequence[int | IntakeFailure]:
    stored_ms = time.time_ns() // 1_000_000
    answers: list[int | IntakeFailure] = []
    for record in records:
        try:
            answers.append(db.execute(_INSERTS[1], _row(record, stored_ms)).lastrowid or 0)
        except _DATA_ERRORS as error:
            logger.exception("An event cannot be kept in the event log.")
            answers.append(InternalFailure(f"The event log cannot keep it: {error}."))
    return answers


def _row(record: Record, stored_ms: int) -> tuple[Any, ...]:
    return (
        record.topic,
        record.stream,
        record.key,
        record.timestamp_ms,
        stored_ms,
        record.schema_uri,
        record.value,
    )


def _is_failed_write(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_WRITE

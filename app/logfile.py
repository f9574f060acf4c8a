"""The file of the embedded log: its format, and how it is opened for writing and for reading."""

import sqlite3
import time
from pathlib import Path

from app.core.errors import ConfigError

FORMAT = 1
APPLICATION = 0x536C7563  # "Sluc", told by `PRAGMA application_id` and by `file`

# The index lists (offset, stream) and not (stream, offset): every event is then appended to one
# page of it instead of one per stream, which was 40 % of the cost of a commit. Looking for a stream
# scans the index, about 40 bytes an event, and not the events.
_STATE = """
SELECT (SELECT count(*) FROM sqlite_schema), application_id, user_version
FROM pragma_application_id, pragma_user_version
"""
"""One statement, so that what another process is making is seen whole or not at all."""

_TABLES = (
    """
    CREATE TABLE events (
        offset       INTEGER PRIMARY KEY AUTOINCREMENT,
        topic        TEXT NOT NULL,
        stream       TEXT NOT NULL,
        key          BLOB,
        timestamp_ms INTEGER NOT NULL,
        stored_ms    INTEGER NOT NULL,
        schema_uri   TEXT NOT NULL,
        value        BLOB NOT NULL
    )
    """,
    "CREATE INDEX events_streams ON events (offset, stream)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)

_LOCK_TRY = 0.01  # seconds: SQLite sleeps ever longer between its tries, but not if begun anew


def open_for_writing(
    path: Path, *, lock_timeout: float, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Return a connection that commits durably, to a file that is made if need be.

    Waits no longer than `lock_timeout` for other processes; raises ConfigError. The connection may
    be handed to one other thread. It is in autocommit mode: transactions are begun by name.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigError(
            f"The event log {path} cannot be made: there is no folder {path.absolute().parent}. "
            "Make it, or let sink.path name a file in a folder that exists."
        )
    deadline = time.monotonic() + lock_timeout
    while True:
        try:
            db = _connect(path, "rwc", factory)
            try:
                _prepare(db, path)
            except BaseException:
                db.close()
                raise
        except sqlite3.Error as error:
            # Whoever opens a new file at the same moment may lock us out without a wait.
            if is_busy(error) and time.monotonic() < deadline:
                time.sleep(_LOCK_TRY)
                continue
            raise ConfigError(_unusable(path, error)) from error
        else:
            return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, to a file that a service may be writing to.

    Raises ConfigError, also if there is no file.
    """
    if not path.exists():
        raise ConfigError(f"There is no event log {path}.")
    try:
        db = _connect(path, "ro", sqlite3.Connection)
        try:
            known = _format_of(db, path)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise ConfigError(_unusable(path, error)) from error
    if known is None:
        db.close()
        raise ConfigError(f"{path} is empty: no event log was ever started in it.")
    return db


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another connection holds a lock; trying again may help."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's result code without its extension, 0 if Python's module raised the error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path, mode: str, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_LOCK_TRY if mode == "rwc" else 5.0,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    known = _format_of(db, path)
    # Large pages suit events of a kilobyte: half the cost per event of the default 4 KiB.
    db.execute("PRAGMA page_size = 16384")
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise ConfigError(
            f"The event log {path} cannot have a write-ahead log (SQLite says: {mode}). "
            "Let sink.path name a file on a local disk."
        )
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk there
    db.execute("PRAGMA journal_size_limit = 67108864")
    if known is None:
        db.execute("BEGIN IMMEDIATE")
        if _format_of(db, path) is None:  # else another process was faster
            for statement in _TABLES:
                db.execute(statement)
        db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")  # finds out now whether the file can be written
    db.execute("ROLLBACK")


def _format_of(db: sqlite3.Connection, path: Path) -> int | None:
    """Return the file's format, None if nothing was ever written to it; raises ConfigError."""
    tables, application, version = db.execute(_STATE).fetchone()
    if application == APPLICATION and version == FORMAT:
        return FORMAT
    if application == APPLICATION:
        raise ConfigError(
            f"{path} is an event log of format {version}, and this Sluiceway knows format "
            f"{FORMAT}. Use the Sluiceway that wrote it, or let sink.path name another file."
        )
    if tables or application or version:
        raise ConfigError(
            f"{path} is a SQLite file of another program, and is left alone. "
            "Let sink.path name another file."
        )
    return None


def _unusable(path: Path, error: sqlite3.Error) -> str:
    match primary_code(error):
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not an event log: it is no SQLite file. Name another file."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"The event log {path} is locked by another program; end that, or wait for it."
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return (
                f"The event log {path} cannot be opened ({error}). The file and its folder must "
                "be writable for this user, since SQLite keeps two more files beside it."
            )
        case _:
            return f"The event log {path} cannot be used: {error}."

"""The format of a spool's file: its tables, how one is made, and whether one can be trusted."""

import os
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import ConfigError

FORMAT = 1
APPLICATION = 0x536C7370  # "Slsp", told by `PRAGMA application_id` and by `file`
PAGE = 16384

# The index has (stream, id), and ids grow: a stream's oldest rows are found without a search.
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    """
    CREATE TABLE spool (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        stream       TEXT NOT NULL,
        topic        TEXT NOT NULL,
        key          BLOB,
        timestamp_ms INTEGER NOT NULL,
        schema_uri   TEXT NOT NULL,
        spooled_ms   INTEGER NOT NULL,
        value        BLOB NOT NULL,
        crc          INTEGER NOT NULL
    )
    """,
    "CREATE INDEX spool_streams ON spool (stream)",
    # What the sink will never take, for the operator. Columns without a type keep damaged values.
    """
    CREATE TABLE refused (
        id, stream, topic, key, timestamp_ms, schema_uri, spooled_ms, value, crc,
        refused_ms INTEGER,
        reason     TEXT,
        sentence   TEXT
    )
    """,
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)
# Bytes; checking takes a second for about 200 MB. Damage in a larger file is found on the way.
_CHECKED = 64 * 1024 * 1024
_DAMAGE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # "no such table": the schema is damaged
)
_UNREADABLE = (
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
)
_LOCK_WAIT = 2.0  # seconds that somebody who looks into the file by hand may lock it


class OtherDestination(ConfigError):
    """The records in this file belong elsewhere."""


class DamagedFile(Exception):
    """The file cannot be trusted as a whole; its message says why."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file that was examined holds: the last id given, and how many records wait."""

    last: int
    waiting: int


def make(path: Path, destination: str, *, last: int = 0) -> None:
    """Make a new file whose first id comes after `last`; raises sqlite3.Error."""
    with closing(_connect(path, "rwc")) as db:
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")
        db.execute("BEGIN")
        for statement in _TABLES:
            db.execute(statement)
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('spool', ?)", (last,))
        for name, value in (("format", str(FORMAT)), ("destination", destination)):
            db.execute(
                "INSERT INTO meta VALUES (?, ?, ?)", (name, value, zlib.crc32(value.encode()))
            )
        db.execute("COMMIT")


def connect(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Return a connection that commits durably, for one thread at a time; raises sqlite3.Error.

    Texts are read as bytes, since a damaged one need not be UTF-8.
    """
    db = _connect(path, "rw", factory)
    try:
        _begin_wal(db, path)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk there
        db.execute("PRAGMA wal_autocheckpoint = 256")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        db.close()
        raise
    return db


def connect_to_look(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing, not even by closing it; raises sqlite3.Error."""
    return _connect(path, "ro")


def examine(path: Path, destination: str) -> Examined:
    """Look at a file without changing it.

    Raises DamagedFile, OtherDestination, or ConfigError for a file that is none of ours.
    """
    try:
        if path.stat().st_size == 0:  # a file of ours never was: it is made under another name
            raise DamagedFile("It is empty.")
        with closing(connect_to_look(path)) as db:
            _check_format(db, path)
            _check_destination(db, path, destination)
            if sum(Path(f"{path}{end}").stat().st_size for end in ("", *_wal_of(path))) <= _CHECKED:
                _check_integrity(db)
            last, waiting = db.execute(
                "SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'spool'), count(*) FROM spool"
            ).fetchone()
    except sqlite3.Error as error:
        if is_damage(error):
            raise DamagedFile(str(error)) from error
        raise ConfigError(_unusable(path, error)) from error
    if not isinstance(last, int):
        raise DamagedFile("It does not say which id was given last.")
    return Examined(last, waiting)


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file is at fault, rather than a lock, the disk's room or the statement."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGE or code in _UNREADABLE


def sync_folder(folder: Path) -> None:
    """Let names that were made or changed in a folder survive a power cut; raises OSError."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _connect(
    path: Path, mode: str, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_LOCK_WAIT,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    db.text_factory = bytes
    return db


def _begin_wal(db: sqlite3.Connection, path: Path) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != b"wal":
        raise ConfigError(
            f"The spool file {path} cannot have a write-ahead log (SQLite says: {mode.decode()}). "
            "Let the spool be in a folder on a local disk."
        )


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if application != APPLICATION and tables and b"spool" not in tables:
        raise ConfigError(
            f"{path} is a SQLite file of another program, and is left alone. "
            "Let the spool be in another folder."
        )
    found = _meta(db, "format")
    if found != str(FORMAT):
        raise ConfigError(
            f"{path} is a spool file of format {found}, and this Sluiceway knows format {FORMAT}. "
            "Use the Sluiceway that wrote it, or let the spool be in another folder."
        )
    if application != APPLICATION or not {b"meta", b"spool", b"refused"} <= tables:
        raise DamagedFile("Its head is not what was written.")


def _check_integrity(db: sqlite3.Connection) -> None:
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != b"ok":
        raise DamagedFile(found.decode(errors="replace"))


def _check_destination(db: sqlite3.Connection, path: Path, destination: str) -> None:
    found = _meta(db, "destination")
    if found != destination:
        raise OtherDestination(
            f"The records in the spool file {path} belong to {found}, and this service writes to "
            f"{destination}. Let the spool be in another folder, or start the other service again "
            "so that it can deliver them."
        )


def _meta(db: sqlite3.Connection, name: str) -> str:
    found = db.execute("SELECT value, crc FROM meta WHERE name = ?", (name,)).fetchone()
    if not found or not isinstance(found[0], bytes) or zlib.crc32(found[0]) != found[1]:
        raise DamagedFile(f"It does not say its {name}.")
    return found[0].decode()


def _wal_of(path: Path) -> list[str]:
    return ["-wal"] if Path(f"{path}-wal").exists() else []


def _unusable(path: Path, error: sqlite3.Error) -> str:
    return (
        f"The spool file {path} cannot be used: {error}. It, its folder and the files beside it "
        "must be writable for this user, on a local disk with room."
    )

"""The spool: whether it can be written, what room its disk has, and what waits in it."""

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.diagnosis.findings import Finding, counted, ok, problem, sized, warning
from app.diagnosis.machine import folder_trouble, free_room

LONG = 300.0
"""Seconds for which records may wait until that is worth a warning."""

_LOCK_WAIT = 1.0  # seconds
_LOCKS = Path("/proc/locks")
_HOLDER = re.compile(rb"pid (\d+)")


class _Unsettled(Exception):
    """A file that SQLite would have to repair before it can be read."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in one file of the spool, and for which service.

    `refused` counts what is kept for the operator. `holder` is the process that has the file, 0 if
    none has.
    """

    path: Path
    destination: str
    records: int
    refused: int
    age_seconds: float
    holder: int


@dataclass(frozen=True, slots=True)
class Spooling:
    """How the spool is to be: as in the settings; sizes in bytes."""

    folder: Path
    destination: str
    max_size: int
    min_free: int
    workers: int


def examine_spool(spooling: Spooling, clock: Callable[[], float] = time.time) -> list[Finding]:
    """Look at the folder and at every file in it, without changing them."""
    folder = spooling.folder
    nearest = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
    trouble = folder_trouble(nearest)
    if trouble:
        return [
            problem(
                "spool",
                f"The spool cannot be in {folder}: {trouble}.",
                "Let spool.folder name a folder on a local disk that the service's user may write.",
            )
        ]
    findings = [*_of_room(spooling, nearest)]
    for path in sorted(folder.glob("spool-*.db")):
        findings += _of_file(path, spooling.destination, clock)
    return findings


def holder_of(path: Path, locks: Path = _LOCKS) -> int:
    """Return the process that has a file of the spool, 0 if none has."""
    lock = path.with_suffix(".lock")
    try:
        inode = lock.stat().st_ino
        found = _HOLDER.search(lock.read_bytes())
    except OSError:
        return 0
    pid = int(found[1]) if found else 0
    try:
        held = f":{inode} ".encode() in locks.read_bytes()
    except OSError:  # not on Linux: the process that noted itself has it, if it still runs
        return pid if _runs(pid) else 0
    return pid if held else 0


def _of_room(spooling: Spooling, nearest: Path) -> Iterable[Finding]:
    free = free_room("spool", nearest)
    if isinstance(free, Finding):
        yield free
        return
    folder, most = spooling.folder, spooling.max_size * spooling.workers
    if free < spooling.min_free:
        yield problem(
            "spool",
            f"The disk of {folder} has {sized(free)} left, less than spool.min_free "
            f"({sized(spooling.min_free)}): nothing is spooled.",
            "Make room on it, or let spool.folder be on another disk.",
        )
    elif free < most + spooling.min_free:
        yield warning(
            "spool",
            f"The disk of {folder} has {sized(free)} left, but {sized(most)} may be spooled "
            f"({counted(spooling.workers, 'worker')}) and {sized(spooling.min_free)} left free.",
            "Make room on it, or set spool.max_size lower; events are answered 503 from then on.",
        )
    else:
        yield ok("spool", f"{folder} can be written; its disk has {sized(free)} left.")


def _of_file(path: Path, destination: str, clock: Callable[[], float]) -> Iterable[Finding]:
    try:
        backlog = _backlog(path, clock())
    except FileNotFoundError:
        return  # its process has just emptied and removed it
    except PermissionError:
        yield warning(
            "spool",
            f"{path} may not be read by this user.",
            "Run this as the service's user to learn what waits in it.",
        )
    except _Unsettled:
        yield warning(
            "spool",
            f"{path} is as a crash left it, and cannot be read without changing it.",
            "Start the service with this spool.folder: it takes over what is in it.",
        )
    except sqlite3.Error as error:
        yield problem(
            "spool",
            f"{path} cannot be read ({error}).",
            "Look at the disk. If it is damaged, the service saves what it can of it when it next "
            "starts.",
        )
    else:
        yield from _of_backlog(backlog, destination)


def _of_backlog(backlog: Backlog, destination: str) -> Iterable[Finding]:
    path, waiting = backlog.path, counted(backlog.records, "record")
    age = f"the oldest for {backlog.age_seconds:,.0f} s"
    if backlog.destination != destination:
        yield warning(
            "spool",
            f"{waiting} in {path} for another service ({backlog.destination}, not {destination}).",
            "Let each service have a spool.folder of its own; this one leaves that file alone.",
        )
    elif not backlog.records:
        used = f"in use by process {backlog.holder}" if backlog.holder else "in nobody's use"
        yield ok("spool", f"Nothing waits in {path} ({used}).")
    elif not backlog.holder:
        yield warning(
            "spool",
            f"{waiting} in {path} for no process ({age}).",
            "Start the service with this spool.folder: it takes them over and produces them.",
        )
    elif backlog.age_seconds > LONG:
        yield warning(
            "spool",
            f"{waiting} in {path} for process {backlog.holder} ({age}).",
            "See above why Kafka does not take them; the log of that process says more.",
        )
    else:
        yield ok("spool", f"{waiting} in {path} for process {backlog.holder} ({age}).")
    if backlog.refused:
        yield warning(
            "spool",
            f"{counted(backlog.refused, 'record')} in {path} will not be produced: Kafka refused "
            "them, or they are damaged.",
            "Read why in the table `refused` of that file (sqlite3 -readonly), mend the cause, and "
            "delete them there once they are not needed.",
        )


def _backlog(path: Path, now: float) -> Backlog:
    with closing(_opened(path)) as db:
        destination = db.execute("SELECT value FROM meta WHERE name = 'destination'").fetchone()
        records, oldest_ms = db.execute("SELECT count(*), min(spooled_ms) FROM spool").fetchone()
        refused = db.execute("SELECT count(*) FROM refused").fetchone()[0]
    return Backlog(
        path=path,
        destination=str(destination[0]) if destination else "",
        records=records,
        refused=refused,
        age_seconds=max(0.0, now - oldest_ms / 1000) if records else 0.0,
        holder=holder_of(path),
    )


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file such that nothing is made beside it: the service might not own what we make."""
    with path.open("rb"):
        pass  # SQLite does not say why it cannot open a file
    wal, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    closed = not wal.exists() or not wal.stat().st_size
    if not closed and not index.exists():
        raise _Unsettled
    how = "immutable=1" if closed and not index.exists() else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_LOCK_WAIT)


def _runs(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""One file of a spool: records that wait, in one SQLite file that one process has for itself."""

import logging
import sqlite3
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors import ConfigError, IntakeFailure, SinkUnavailable
from app.core.events import Record
from app.spooling.format import (
    DamagedFile,
    Examined,
    connect,
    examine,
    is_damage,
    make,
    sync_folder,
)
from app.spooling.lock import SpoolLock
from app.spooling.row import Row, UnkeepableRecord
from app.spooling.salvage import finish, remove, salvage
from app.spooling.table import Refused, SpoolTable, Tally

T = TypeVar("T")

_REOPEN_AFTER = 1.0  # seconds

logger = logging.getLogger(__name__)


class SpoolFile:
    """Made by `SpoolFile.open`; every method may be called by any thread, and waits for the disk.

    What cannot be done raises SinkUnavailable, or UnknownDelivery if it may have been done. A file
    that proves damaged is salvaged on the spot, and keeps its ids. `dropped` counts what will not
    be delivered: `refused`, `corrupt`, and `lost`, which is an estimate.
    """

    def __init__(
        self,
        path: Path,
        *,
        destination: str,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.dropped: Counter[str] = Counter()
        self._destination = destination
        self._factory = factory
        self._clock = clock
        self._lock = SpoolLock(path.with_suffix(".lock"))
        self._using = threading.Lock()
        self._table: SpoolTable
        self._usable = False
        self._inode = 0
        self._reopen_at = 0.0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        destination: str,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        clock: Callable[[], float] = time.time,
    ) -> "SpoolFile":
        """Lock the file, and make, check or salvage it.

        Raises SpoolHeld if another process has it, OtherDestination if its records belong
        elsewhere, ConfigError if it cannot be used for another reason.
        """
        file = cls(path, destination=destination, factory=factory, clock=clock)
        file._lock.take()
        try:
            file._open()
        except BaseException:
            file._lock.release()
            raise
        return file

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """What waits, per stream."""
        return self._table.tallies

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return sum(tally.records for tally in self._table.tallies.values())

    @property
    def size(self) -> int:
        """How many bytes wait, or are kept of what was refused."""
        return self._table.refused_size + sum(t.size for t in self._table.tallies.values())

    def append(self, records: Sequence[Record]) -> list[int]:
        """Commit the records, all or none; return the id of each.

        Raises UnkeepableRecord if one of them is none that SQLite can hold.
        """

        def work(table: SpoolTable) -> list[int]:
            self._check_name()
            return table.append(records, self._now())

        return self._done(work)

    def read(self, stream: str, *, max_records: int, max_bytes: int) -> list[Row]:
        """Return the oldest rows of a stream, at least one if any waits."""
        return self._done(lambda table: table.read(stream, max_records, max_bytes, self._now()))

    def settle(
        self, stream: str, delivered: Sequence[Row], refused: Sequence[Refused] = ()
    ) -> None:
        """Forget what was delivered; keep what was refused apart, for the operator."""
        self._done(lambda table: table.settle(stream, delivered, refused, self._now()))

    def give_refused(self, heir: "SpoolFile") -> None:
        """Let another file keep what was refused of this one."""
        if rows := self._done(SpoolTable.refused):
            heir.keep_refused(rows)

    def keep_refused(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep what was refused elsewhere."""
        self._done(lambda table: table.keep_refused(rows))

    def close(self, *, remove_it: bool = False) -> None:
        """Let another process have the file; `remove_it` when nothing waits in it any more."""
        with self._using:
            self._usable = False
            self._reopen_at = float("inf")
            self._table.db.close()
            if remove_it:
                remove(self.path)
            self._lock.release(remove=remove_it)

    def _done(self, work: Callable[[SpoolTable], T]) -> T:
        with self._using:
            if not self._usable:
                self._reopen()
            try:
                done = work(self._table)
            except sqlite3.Error as error:
                self._roll_back()
                if is_damage(error):
                    self._usable = False
                    # A cursor in one of these frames would keep the connection open.
                    traceback.clear_frames(error.__traceback__)
                    self._reopen(damage=str(error))
                raise SinkUnavailable(f"The spool file {self.path} failed: {error}.") from error
            except (IntakeFailure, UnkeepableRecord):
                self._roll_back()
                raise
            self._note()
            return done

    def _check_name(self) -> None:
        try:
            inode = self.path.stat().st_ino
        except OSError:
            inode = 0
        if inode != self._inode:
            # SQLite would go on writing to a file that has no name any more.
            raise SinkUnavailable(
                f"The spool file {self.path} was moved, replaced or removed while in use; "
                "restart the service."
            )

    def _roll_back(self) -> None:
        try:
            self._table.roll_back()
        except sqlite3.Error:
            logger.warning("A transaction could not be rolled back.", exc_info=True)
            self._usable = False  # only a new connection starts from a known state

    def _reopen(self, damage: str = "") -> None:
        """Make the file usable again; raises SinkUnavailable."""
        now = time.monotonic()
        if not damage and now < self._reopen_at:
            raise SinkUnavailable(f"The spool file {self.path} cannot be used now; see the log.")
        self._reopen_at = now + _REOPEN_AFTER
        self._table.db.close()
        try:
            self._open(damage)
        except ConfigError as error:
            logger.exception("A spool file cannot be used.", extra={"file": str(self.path)})
            raise SinkUnavailable(str(error)) from error

    def _open(self, damage: str = "") -> None:
        try:
            remove(Path(f"{self.path}.new"))
            remove(Path(f"{self.path}.copy"))
            finish(self.path, Path(f"{self.path}.broken-{self._now()}"))
            try:
                self._connect(self._checked(damage))
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._connect(self._checked(str(error)))
        except (OSError, sqlite3.Error, DamagedFile) as error:
            raise ConfigError(
                f"The spool file {self.path} cannot be used: {error}. Let the spool be in a "
                "folder on a local disk with room, which this user may write."
            ) from error
        self._note()

    def _connect(self, found: Examined) -> None:
        db = connect(self.path, self._factory)
        try:
            last = max(found.last, self._lock.last)
            self._table = SpoolTable(db, last=last, dropped=self.dropped)
        except BaseException:
            db.close()
            raise
        self._inode = self.path.stat().st_ino
        self._usable = True

    def _checked(self, damage: str) -> Examined:
        """Return what a file holds that can be trusted; it is a new one if need be."""
        if not self.path.exists():
            self._make()
            return examine(self.path, self._destination)
        try:
            found = examine(self.path, self._destination)
        except DamagedFile as error:
            damage = str(error)
        else:
            if not damage and found.last >= self._lock.last:
                return found
        self._salvage(damage or "Records that were told as spooled are not in it.")
        return examine(self.path, self._destination)

    def _make(self) -> None:
        remove(self.path)  # a log that has lost its file would be taken for one of the new file
        make(Path(f"{self.path}.new"), self._destination, last=self._lock.last)
        Path(f"{self.path}.new").replace(self.path)
        sync_folder(self.path.parent)
        if self._lock.waiting:
            self.dropped["lost"] += self._lock.waiting
            logger.error(
                "A spool file is gone, and with it records that waited.",
                extra={"file": str(self.path), "lost": self._lock.waiting},
            )

    def _salvage(self, damage: str) -> None:
        salvaged = salvage(
            self.path,
            self._destination,
            last=self._lock.last,
            waiting=self._lock.waiting,
            now_ms=self._now(),
        )
        self.dropped["corrupt"] += salvaged.corrupt
        self.dropped["lost"] += salvaged.lost
        logger.error(
            "A spool file was damaged. What could be read of it was kept; look at its disk.",
            extra={
                "file": str(self.path),
                "damage": damage,
                "kept": salvaged.kept,
                "corrupt": salvaged.corrupt,
                "lost": salvaged.lost,
                "set_aside": str(salvaged.broken),
            },
        )

    def _note(self) -> None:
        table = self._table
        waiting = self.waiting
        if (table.last, waiting) != (self._lock.last, self._lock.waiting):
            self._lock.note(table.last, waiting)

    def _now(self) -> int:
        return int(self._clock() * 1000)

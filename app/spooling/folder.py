"""The folder of a spool: finds a file for this process, and files that nobody has any more."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.errors import ConfigError
from app.spooling.file import SpoolFile
from app.spooling.format import OtherDestination
from app.spooling.lock import SpoolHeld

_MOST_FILES = 10_000

logger = logging.getLogger(__name__)


class SpoolFolder:
    """Files named `spool-<n>.db`, each with a lock beside it that says which process has it."""

    def __init__(
        self,
        path: Path,
        *,
        destination: str,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._destination = destination
        self._factory = factory
        self._clock = clock
        self._warned: set[Path] = set()

    def take(self) -> SpoolFile:
        """Return the first file that can be had, made if need be; raises ConfigError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The spool's folder {self.path} cannot be made: {error.strerror}. "
                "Make it, or let spool.folder name a folder that this user may write."
            ) from error
        for number in range(_MOST_FILES):
            file = self._opened(self.path / f"spool-{number}.db")
            if file:
                return file
        raise ConfigError(f"All {_MOST_FILES} files in the spool's folder {self.path} are taken.")

    def adopt(self, own: SpoolFile) -> Sequence[SpoolFile]:
        """Return the files that nobody has, those whose records wait longest first."""
        found = []
        for path in sorted(self.path.glob("spool-*.db")):
            try:
                file = None if path == own.path else self._opened(path)
            except ConfigError as error:
                self._warn(path, str(error))
            else:
                found += [file] if file else []
        return sorted(
            found, key=lambda file: min((t.oldest_ms for t in file.tallies.values()), default=0)
        )

    def _opened(self, path: Path) -> SpoolFile | None:
        """Return a file if it can be had; raises ConfigError."""
        try:
            return SpoolFile.open(
                path, destination=self._destination, factory=self._factory, clock=self._clock
            )
        except SpoolHeld:
            return None
        except OtherDestination as error:
            self._warn(path, str(error))
            return None

    def _warn(self, path: Path, why: str) -> None:
        if path not in self._warned:
            self._warned.add(path)
            logger.warning("A spool file is left alone.", extra={"file": str(path), "why": why})

"""The lock of a spool's file: which process has it, and what that process last knew of it."""

import os
import zlib
from contextlib import suppress
from pathlib import Path

from app.core.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows has no locks that end with their process and bind nobody else
    fcntl = None  # type: ignore[assignment]

_LINE = "pid %-10d last %-20d waiting %-20d"  # of one length, so that one write replaces it


class SpoolHeld(ConfigError):
    """Another process has this file of the spool."""


class SpoolLock:
    """Held until released, or until the process ends, however it ends.

    `last` is the greatest id that was ever told to a client, and `waiting` how many records were
    in the file, as the process knew that noted it last. The notes are not synced: they outlive a
    process, but not always a power cut, and are then too old, never too new.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = 0
        self.waiting = 0
        self._fd = -1

    def take(self) -> None:
        """Lock it and read the notes; raises SpoolHeld, or ConfigError if that cannot work."""
        if fcntl is None:
            raise ConfigError("This system has no file locks (flock): a spool cannot be used here.")
        try:
            while not self._taken():
                pass
        except BlockingIOError as error:
            raise SpoolHeld(
                f"The spool file {self.path.with_suffix('.db')} is in use by process "
                f"{self._holder()}. Each process needs one of its own: end that process, or let "
                "this one use another folder."
            ) from error
        except OSError as error:
            raise ConfigError(
                f"The spool cannot lock {self.path}: {error.strerror}. "
                "Let the spool be in a folder on a local disk that this user may write."
            ) from error

    def note(self, last: int, waiting: int) -> None:
        """Remember what is in the file, for whoever opens it next."""
        self.last, self.waiting = last, waiting
        line = (_LINE % (os.getpid(), last, waiting)).encode()
        with suppress(OSError):  # they help after an accident, and are no reason for one
            os.pwrite(self._fd, b"%b %08x\n" % (line, zlib.crc32(line)), 0)

    def release(self, *, remove: bool = False) -> None:
        """Let another process have it; `remove` when there is no file any more."""
        if self._fd < 0:
            return
        if remove:  # while it is held: whoever waits for it finds that it has no name any more
            self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1

    def _taken(self) -> bool:
        """Lock the file; False if it was removed meanwhile, and another may be in its place."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            still_there = os.path.samestat(os.fstat(fd), self.path.stat())
            _, self.last, self.waiting = _notes(os.pread(fd, 100, 0))
        except FileNotFoundError:
            still_there = False
        except BaseException:
            os.close(fd)
            raise
        if not still_there:
            os.close(fd)
            return False
        self._fd = fd
        self.note(self.last, self.waiting)
        return True

    def _holder(self) -> str:
        try:
            return str(_notes(self.path.read_bytes())[0] or "?")
        except OSError:
            return "?"


def _notes(line: bytes) -> tuple[int, int, int]:
    """Return pid, last and waiting; zeros if the line is not as it was written."""
    text, _, checksum = line.rstrip().rpartition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return 0, 0, 0
    pid, last, waiting = (int(word) for word in text.split()[1::2])
    return pid, last, waiting

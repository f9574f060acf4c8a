"""Where lines are written so that half a line is never followed by another: a file, or a stream."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.core.errors import ConfigError, SinkUnavailable, UnknownDelivery

try:
    import fcntl
except ImportError:  # Windows: one process per file there
    fcntl = None  # type: ignore[assignment]

_sync = getattr(os, "fdatasync", os.fsync)  # file systems keep the size with the data


class LineFile:
    """A file that lines are appended to, by several processes if need be.

    It is found again by its name when it was renamed or removed (log rotation). A path that is a
    pipe or a device is written like a `LineStream`.
    """

    def __init__(self, path: Path, *, fsync: bool) -> None:
        self._path = path
        self._fsync = fsync
        self._fd = -1
        self._stream: LineStream | None = None

    def open(self) -> None:
        """Open or make the file and mend its torn end; raises ConfigError."""
        try:
            self._open()
            if self._stream is None:
                with self._locked():
                    self._mended_end()
        except OSError as error:
            self.close()
            raise ConfigError(
                f"The file {self._path} cannot be written: {error.strerror}. "
                "Let sink.path name a file in a folder that exists and that this user may write."
            ) from error

    def write(self, lines: bytes) -> int:
        """Append whole lines, all or none; return where in the file they begin.

        Raises SinkUnavailable if nothing of them is in the file, UnknownDelivery if that is not
        known.
        """
        if self._stream:
            return self._stream.write(lines)
        try:
            self._reopen_if_moved()
            with self._locked():
                end = self._mended_end()
                try:
                    _write_all(self._fd, lines)
                except OSError as error:
                    raise self._undone(end, error) from error
                if self._fsync:
                    try:
                        _sync(self._fd)
                    except OSError as error:
                        raise UnknownDelivery(
                            f"The disk did not confirm it to {self._path}: {error.strerror}."
                        ) from error
        except OSError as error:
            raise self._refused(error) from error
        return end

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        is_new = not self._path.exists()
        self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            self._stream = LineStream(self._fd, str(self._path))
        elif is_new and self._fsync:
            folder = os.open(self._path.absolute().parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # else a power cut may take the name, and with it all of the file
            finally:
                os.close(folder)

    def _reopen_if_moved(self) -> None:
        if self._fd >= 0:
            with suppress(FileNotFoundError):
                if os.path.samestat(self._path.stat(), os.fstat(self._fd)):
                    return
        self.close()
        self._open()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out: without a lock nobody could take back half a write."""
        if fcntl is None:
            yield
            return
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _mended_end(self) -> int:
        """Return the file's length, after ending a line that a crash has cut."""
        end = os.fstat(self._fd).st_size
        if end and os.pread(self._fd, 1, end - 1) != b"\n":
            end += os.write(self._fd, b"\n")
        return end

    def _undone(self, end: int, error: OSError) -> SinkUnavailable | UnknownDelivery:
        try:
            os.ftruncate(self._fd, end)
        except OSError:
            return UnknownDelivery(f"A part of it may be in {self._path}: {error.strerror}.")
        return self._refused(error)

    def _refused(self, error: OSError) -> SinkUnavailable:
        return SinkUnavailable(f"The file {self._path} cannot be written: {error.strerror}.")


class LineStream:
    """Standard output, a pipe or a device: what is written cannot be taken back.

    When a write fails half-way the next one begins with a line feed, so that only the torn line is
    lost to its reader.
    """

    def __init__(self, fd: int = -1, name: str = "standard output") -> None:
        self._fd = fd
        self._name = name
        self._torn = False
        self._written = 0

    def open(self) -> None:
        """Find standard output; raises ConfigError if the process has none."""
        try:
            sys.stdout.flush()
            self._fd = sys.stdout.fileno()
        except (AttributeError, OSError, ValueError) as error:
            raise ConfigError(
                "This process has no standard output to write events to. Let sink.path name a file."
            ) from error

    def write(self, lines: bytes) -> int:
        """Write whole lines; return how many bytes were written before them.

        Raises SinkUnavailable if nothing of them was written, UnknownDelivery if a part was.
        """
        start = self._written + self._torn
        if self._torn:
            lines = b"\n" + lines
        try:
            _write_all(self._fd, lines)
        except _PartlyWrittenError as error:
            self._written += error.written
            self._torn = True
            raise UnknownDelivery(
                f"A part of it went to {self._name}: {error.strerror}."
            ) from error
        except OSError as error:
            raise SinkUnavailable(f"Cannot write to {self._name}: {error.strerror}.") from error
        self._torn = False
        self._written += len(lines)
        return start

    def close(self) -> None:
        """Leave standard output open: it is not ours to close."""


class _PartlyWrittenError(OSError):
    """A write failed after some bytes."""

    written = 0


def _write_all(fd: int, data: bytes) -> None:
    """Write all of it, however many calls that takes; raises OSError."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except OSError as error:
            if len(left) == len(data):
                raise
            partly = _PartlyWrittenError(error.errno, error.strerror)
            partly.written = len(data) - len(left)
            raise partly from error

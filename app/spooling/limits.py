"""What a spool does not take, so that it neither fills the disk nor breaks what it has promised."""

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.errors import IntakeFailure, InternalFailure, Overloaded, SinkUnavailable
from app.core.events import Record
from app.spooling.file import SpoolFile
from app.spooling.row import UnkeepableRecord, columns_of, size_of

_LATER = "Send it again later."

logger = logging.getLogger(__name__)


class SpoolLimits:
    """At most `max_bytes` wait in a process's own file, and the disk keeps `min_free` bytes beside.

    While a stream's oldest record is older than `max_age` seconds no more of that stream is taken.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        max_age: float,
        min_free: int,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._min_free = min_free
        self._clock = clock
        self._was_full = False

    def refusals(
        self, files: Sequence[SpoolFile], own: SpoolFile, records: Sequence[Record]
    ) -> list[IntakeFailure | None]:
        """Return why each record is not taken, None if it is.

        Raises SinkUnavailable if the disk has no room for them.
        """
        self._check_disk(sum(size_of(record) for record in records))
        stale = self._stale_streams(files)
        size = own.size
        answers: list[IntakeFailure | None] = []
        for record in records:
            answer = self._refusal(record, stale, size, own)
            if answer is None:
                size += size_of(record)
            answers.append(answer)
        self._tell(is_full=any(isinstance(answer, Overloaded) for answer in answers), own=own)
        return answers

    def full(self, own: SpoolFile) -> str:
        """Say that the spool is full, if it is; else empty."""
        return self._full(own) if own.size >= self._max_bytes else ""

    def _check_disk(self, size: int) -> None:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise SinkUnavailable(f"The spool {self._folder} is gone: {error.strerror}.") from error
        if free < self._min_free + size:
            raise SinkUnavailable(
                f"The disk of the spool {self._folder} has only {free} bytes left. Make room on "
                "it, or set spool.min_free lower."
            )

    def _refusal(
        self, record: Record, stale: set[str], size: int, own: SpoolFile
    ) -> IntakeFailure | None:
        if record.stream in stale:
            return Overloaded(
                f"Events of the stream {record.stream} wait in the spool for longer than "
                f"{self._max_age:g} s; no more are taken until they are produced.",
                hint=_LATER,
            )
        if size + size_of(record) > self._max_bytes:
            return Overloaded(self._full(own), hint=_LATER)
        try:
            columns_of(0, record, 0)
        except UnkeepableRecord as error:
            logger.exception("An event cannot be kept in the spool.")
            return InternalFailure(f"The spool cannot keep it: {error}.")
        return None

    def _stale_streams(self, files: Sequence[SpoolFile]) -> set[str]:
        horizon = (self._clock() - self._max_age) * 1000
        return {
            stream
            for file in files
            for stream, tally in file.tallies.items()
            if tally.oldest_ms < horizon
        }

    def _full(self, own: SpoolFile) -> str:
        return (
            f"The spool {self._folder} is full ({own.size} bytes); "
            "events are taken again when Kafka is back."
        )

    def _tell(self, *, is_full: bool, own: SpoolFile) -> None:
        if is_full and not self._was_full:
            logger.error(
                "The spool takes no more of some events: it is full, or they wait for too long.",
                extra={"spool": str(self._folder), "bytes": own.size, "records": own.waiting},
            )
        elif self._was_full and not is_full:
            logger.warning("The spool takes events again.", extra={"spool": str(self._folder)})
        self._was_full = is_full

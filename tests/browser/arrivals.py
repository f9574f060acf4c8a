"""What a service has stored since a moment, read back with `sluiceway log --json`."""

from typing import Any

from app.logreader import LogReader
from tests.support import Served, until


class Arrivals:
    """Remembers where the log ended when it was made."""

    def __init__(self, service: Served) -> None:
        self._service = service
        self._log = LogReader(service.folder / "sluiceway.db")
        self._before = self._stored()
        self._after = max((count.last_offset for count in self._log.counts()), default=0)

    def __call__(self, count: int) -> list[Any]:
        """Return the events that were stored since, once there are `count` of them."""
        until(lambda: self._stored() - self._before >= count)
        return [row["event"] for row in self._service.log("--after", str(self._after))]

    def _stored(self) -> int:
        return sum(count.events for count in self._log.counts())

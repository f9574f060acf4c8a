"""The face of the old wires: what arrived -> the body of a modern event, and what to offer it."""

from typing import Any

from legacy.beacon import Loads, capsule_of
from legacy.capsule import may_be_told, object_in, revision, schema_name
from legacy.errors import LegacyError
from legacy.eventbus import LatestOf, modern_body_of
from legacy.formats import LineFormat
from legacy.logline import PRODUCTION, Receipt, read_line
from legacy.mapping import Mapping, Target
from legacy.strictjson import loads as strict_loads
from legacy.translate import modern_body, offers_of

Decoded = tuple[dict[str, Any], dict[str, Any]]
"""The body of a modern event, and offers: dotted paths -> values for fields that a schema may have.

The body holds no `meta.dt`, and a `meta.id` only where an EventBus event has one.
"""


class LegacyAdapter:
    """Puts old events into the modern shape; remembers the mapping and the host's own name.

    `loads` parses JSON bytes and raises ValueError for what it does not take; by default it is
    `legacy.strictjson.loads`. `host` is offered as `recvFrom`, None offers none. `received_dt`,
    below, is the time of receipt as the wire writes it. All methods raise LegacyError only.
    """

    def __init__(
        self, mapping: Mapping, *, loads: Loads | None = None, host: str | None = None
    ) -> None:
        self._mapping = mapping
        self._loads = loads or strict_loads
        self._host = host

    def target(self, name: str, revision: int | None = None) -> Target:
        """Return what an old schema's name means now; raises LegacyError."""
        return self._mapping.target(name, revision)

    @property
    def names(self) -> list[str]:
        """The old schemas that the mapping names."""
        return list(self._mapping.entries)

    def beacon(self, query: bytes, *, received_dt: str) -> Decoded:
        """Return what a beacon's raw query means."""
        return self._decoded(capsule_of(query, self._loads), received_dt, Receipt())

    def capsule(self, value: Any, *, received_dt: str) -> Decoded:
        """Return what a capsule means that came as plain JSON."""
        return self._decoded(object_in(value, "The capsule"), received_dt, Receipt())

    def log_line(
        self, line: bytes | str, *, received_dt: str, form: LineFormat = PRODUCTION
    ) -> Decoded:
        """Return what a line of the old front door's log means, or of a MediaWiki's.

        Where the line says when, where and from whom the event was received, that is offered, and
        an identity made of it: whoever reads a line twice gets the same event twice.
        """
        raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        capsule, receipt = read_line(raw, form, self._loads)
        return self._decoded(capsule, received_dt, receipt)

    def eventbus(self, value: dict[str, Any], *, latest_of: LatestOf = lambda _: None) -> Decoded:
        """Return what an event of the EventBus service means; `is_eventbus(value)` must hold.

        `latest_of` names the schema of an event that names none.
        """
        return modern_body_of(value, self._mapping, latest_of)

    def _decoded(self, capsule: dict[str, Any], received_dt: str, receipt: Receipt) -> Decoded:
        try:
            target = self._mapping.target(schema_name(capsule), revision(capsule))
        except LegacyError as error:
            error.told = may_be_told(capsule)
            raise
        offers = offers_of(
            capsule, received_dt=receipt.dt or received_dt, host=receipt.host or self._host
        )
        # The capsule's user agent stands before that of the request which brought it.
        return modern_body(capsule, target), receipt.offers() | offers

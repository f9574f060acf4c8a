"""The face of the old wire: what arrived -> the body of a modern event, and what to offer it."""

from typing import Any

from legacy.beacon import Loads, capsule_of
from legacy.capsule import revision, schema_name
from legacy.mapping import Mapping
from legacy.strictjson import loads as strict_loads
from legacy.translate import modern_body, offers_of


class LegacyAdapter:
    """Puts old events into the modern shape; remembers the mapping and the host's own name.

    `loads` parses JSON bytes and raises ValueError for what it does not take; by default it is
    `legacy.strictjson.loads`. `host` is offered as `recvFrom`, None offers none.
    """

    def __init__(
        self, mapping: Mapping, *, loads: Loads | None = None, host: str | None = None
    ) -> None:
        self._mapping = mapping
        self._loads = loads or strict_loads
        self._host = host

    def beacon(self, query: bytes, *, received_dt: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the body that a beacon's raw query means, and the offers; raises LegacyError only.

        `received_dt` is the time of receipt as the wire writes it. Offers map dotted paths to
        values for fields that not every schema has. The body holds no `meta.id` and no `meta.dt`.
        """
        capsule = capsule_of(query, self._loads)
        target = self._mapping.target(schema_name(capsule), revision(capsule))
        body = modern_body(capsule, target)
        return body, offers_of(capsule, received_dt=received_dt, host=self._host)

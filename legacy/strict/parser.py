"""From a log line to a capsule: the client's fields, cast, and the line's own behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from legacy.formats import CAPSULE
from legacy.strict.casts import cast
from legacy.strict.errors import NotProcessed
from legacy.strict.lines import StrictFormat
from legacy.strict.uuids import capsule_uuid


@dataclass(frozen=True, slots=True)
class StrictParser:
    """Reads log lines of one format as the last release did."""

    format: StrictFormat

    def parse(self, line: str, *, now: datetime) -> dict[str, Any]:
        """Return the capsule of a line, with its `uuid`; what goes wrong may raise anything.

        What the client sent in the place of a column wins over it, and is cast like it.
        """
        columns = self.format.match(line)
        if columns is None:
            raise NotProcessed(self.format.pattern.pattern)
        kinds = self.format.columns
        capsule = cast(kinds[CAPSULE], columns.pop(CAPSULE), now=now)
        if not isinstance(capsule, dict):
            raise NotProcessed("capsule was successfully parsed, but not as an object.")
        for name in kinds.keys() & capsule.keys():
            capsule[name] = cast(kinds[name], capsule[name], now=now)
        for name, text in columns.items():
            if name not in capsule:
                capsule[name] = cast(kinds[name], text, now=now)
        capsule["uuid"] = capsule_uuid(capsule, now=now)
        return capsule

"""What a rule looks at: one schema as a file has it, and as readers will have it."""

from dataclasses import dataclass
from math import inf
from operator import itemgetter
from typing import Any

from app.schemas.keywords import Path as Steps
from app.schemas.repository import Document
from migration.repository import SchemaFile

_REFERENCE = 1.5


@dataclass(frozen=True, slots=True)
class Subject:
    """A schema. `uri` is the one that its place gives it, `document` its released form.

    A path in `document` is not always one in the file: what current.yaml takes from others by
    reference is not in it.
    """

    file: SchemaFile
    uri: str
    document: Document
    is_current: bool

    def line(self, steps: Steps) -> int:
        """Return the line of the file where a value of the document is written, or comes from."""
        if not self.is_current:
            return self.file.spot(steps).line
        return self.file.spot(_written(self.file.document, steps)[1]).line


def _written(value: Any, steps: Steps) -> tuple[float, Steps]:
    """Return the path in a current.yaml of what has another path once `allOf` is merged.

    How good the answer is comes first: the steps that could be taken, infinite if that were all. A
    reference, by which the rest may come, is worth more than one step and less than two: that
    there are `properties` says little, that the property is there says much.
    """
    if not steps:
        return inf, ()
    step, rest = steps[0], steps[1:]
    ways: list[tuple[float, Steps]] = [(0, ())]
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        ways.append(_below(step, value[step], rest))
    if isinstance(value, dict):
        if "$ref" in value:
            ways.append((_REFERENCE, ()))
        if step in value:
            ways.append(_below(step, value[step], rest))
        parts = value.get("allOf")
        for index, part in enumerate(parts if isinstance(parts, list) else []):
            quality, way = _written(part, steps)
            ways.append((quality, ("allOf", index, *way)))
    return max(ways, key=itemgetter(0))


def _below(step: str | int, value: Any, rest: Steps) -> tuple[float, Steps]:
    quality, way = _written(value, rest)
    return quality + 1, (step, *way)

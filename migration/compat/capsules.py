"""An on-wiki schema beside the one that replaced it: both judge the `event` of a capsule.

What is compared are objects that hold `event` at most. The old side puts it into a capsule, the new
one into an event that is valid without it; the other fields were the old system's, or are made up
by the adapter that translates capsules.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft3Validator
from jsonschema.exceptions import SchemaError

from app.schemas.bundle import Bundle
from app.schemas.drafts import DEFAULT
from app.schemas.keywords import pointer_of
from app.schemas.repository import Document
from legacy.strict.reference import Reference
from legacy.strict.schemas import OldSchemas
from migration.compat.draft3 import Draft3Error, modernised
from migration.compat.reading import view_of
from migration.compat.sides import Fault, Side, UnusableSchema
from migration.compat.views import Part

_REFERENCE = Reference("Compared", 1)
_CAPSULE = {
    "schema": "Compared",
    "revision": 1,
    "wiki": "examplewiki",
    "recvFrom": "host.example.org",
    "uuid": "0123456789abcdef0123456789abcdef",
}


def old_side(name: str, document: Document) -> Side:
    """Return an on-wiki schema as the old system used it; raises UnusableSchema."""
    try:
        Draft3Validator.check_schema(document)
        inner = modernised(document, closed=True)
    except (SchemaError, Draft3Error) as error:
        said = str(error).splitlines()[0]
        raise UnusableSchema(f"{name} is no schema of draft 3: {said}") from error
    schemas = OldSchemas({(_REFERENCE.name, _REFERENCE.revision): document})
    bundle = Bundle(inner, [], DEFAULT)
    around = {
        "type": "object",
        "properties": {"event": inner},
        "additionalProperties": False,
    }

    def faults(event: dict[str, Any]) -> list[Fault]:
        found = schemas.violations({**_CAPSULE, **event}, _REFERENCE)
        return [
            Fault(pointer_of(tuple(one.absolute_path)), str(one.validator), one.message)
            for one in found
        ]

    return Side(name, document, Part(around, bundle, old=True), faults)


def event_side(side: Side, example: Mapping[str, Any]) -> Side:
    """Return what a new schema says of `event`; `example` is an event that is valid by it."""
    view = view_of((side.part,))
    if view.choices or view.dependencies or "event" in view.defaults:
        raise UnusableSchema(
            f"{side.name} says of whole events what cannot be said of their `event` alone (anyOf, "
            "oneOf, not, if, dependencies, or a default of `event`, at its top)."
        )
    around: dict[str, Any] = {"type": "object", "additionalProperties": False}
    inner = view.child("event")
    around["properties"] = {"event": {"allOf": [part.schema for part in inner]}}
    if "event" in view.required:
        around["required"] = ["event"]
    rest = {name: value for name, value in example.items() if name != "event"}
    judge: Callable[[dict[str, Any]], Any] = side.faults

    def faults(event: dict[str, Any]) -> list[Fault]:
        return list(judge({**rest, **event}))

    return Side(side.name, side.document, side.part.inner(around), faults)


def event_of(line: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared of a capsule or of a modern event."""
    return {"event": line["event"]} if "event" in line else {}

"""The schema of the capsule, as it stood in the old system's code since 2018, around an event's."""

from collections.abc import Mapping
from typing import Any

_PROPERTIES: Mapping[str, dict[str, Any]] = {
    "wiki": {"type": "string", "required": True},
    "webHost": {"type": "string"},
    "schema": {"type": "string", "required": True},
    "revision": {"type": "integer", "required": True},
    "topic": {"type": "string"},
    "recvFrom": {"type": "string", "required": True},
    "timestamp": {"type": "number"},
    "dt": {"type": "string", "format": "date-time"},
    "seqId": {"type": "integer"},
    "uuid": {"type": "string", "format": "uuid5-hex", "required": True},
    "userAgent": {"type": "any"},
    "ip": {"type": "string"},
}


def encapsulated(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of capsules whose `event` follows `schema`, both in draft 3.

    An event's schema replaces what the capsule says of `event`, that it is an object and required:
    few schemas say so themselves. Unknown properties are refused at the top of an event (bug 44454)
    unless its schema says something about them.
    """
    inner = {"additionalProperties": False, **_without_dialect(schema)}
    return {"properties": {**_PROPERTIES, "event": inner}, "additionalProperties": False}


def _without_dialect(value: Any) -> Any:
    """Return a schema without `$schema`: what is inside a capsule never chose its own draft.

    Newer validators let it, in any schema inside another. A property that happens to be called
    `$schema` is described by an object, and what stands in an `enum` is no schema.
    """
    if isinstance(value, dict):
        return {
            key: item if key == "enum" and isinstance(item, list) else _without_dialect(item)
            for key, item in value.items()
            if not (key == "$schema" and isinstance(item, str))
        }
    if isinstance(value, list):
        return [_without_dialect(item) for item in value]
    return value

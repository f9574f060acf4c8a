"""EventErrors: what the old system published instead of an event that it turned away."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from legacy.strict.reference import Reference, reference_of

Code = Literal["processor", "validation"]

SCHEMA = "EventError"
REVISION = 14035058
UNKNOWN = Reference("unknown", -1)

_RAW_SCHEMA = re.compile(r"%22schema%22%3A%22([./a-zA-Z0-9_-]{1,63})%22")
_RAW_REVISION = re.compile(r"%22revision%22%3A(\d+)")


def event_error(
    raw_event: str, message: str, code: Code, parsed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `event` of an EventError; raises if the parsed event's schema URI is no text.

    Schema and revision are what the parsed event says, whatever their types. If there is none they
    are found in the text, in the one spelling that JavaScript clients used.
    """
    reference = reference_of(parsed) if parsed else _reference_in(raw_event)
    name, revision = reference or UNKNOWN
    return {
        "rawEvent": raw_event,
        "message": message,
        "code": code,
        "schema": name,
        "revision": revision,
    }


def capsule_of(event: Mapping[str, Any], *, host: str, now: datetime, uuid: str) -> dict[str, Any]:
    """Return an EventError as it was published: in a capsule of the processor's own."""
    return {
        "schema": SCHEMA,
        "revision": REVISION,
        "wiki": "",
        "uuid": uuid,
        "recvFrom": host,
        "timestamp": round(now.timestamp()),
        "event": event,
    }


def _reference_in(raw_event: str) -> Reference:
    name = _RAW_SCHEMA.search(raw_event)
    revision = _RAW_REVISION.search(raw_event)
    return Reference(
        name[1] if name else UNKNOWN.name, int(revision[1]) if revision else UNKNOWN.revision
    )

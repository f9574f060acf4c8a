"""Why a judge refused an event: the rule, the place, and the class of the difference."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError

from app.core.errors import EventError, SchemaViolation, Violation
from app.schemas.keywords import pointer_of

SAFE = 2**53 - 1
MAX_CAUSES = 20
MAX_MESSAGE = 300

CLASSES = {
    "unknown_property": "the old system refused properties that its schema does not name",
    "whole_float": "5.0 is an integer for the new validator, and was none for the old one",
    "beyond_safe_integer": "numbers beyond what JavaScript counts exactly are refused now",
    "event_missing": "an event that is missing or no object passed the old system",
}
"""The ways in which a migrated schema is known to differ."""
OTHER = "other"

_INDEX = re.compile(r"/[0-9]+(?=/|$)")


class Cause(NamedTuple):
    """One reason to refuse an event. `pointer` has `*` for every position in an array."""

    rule: str
    pointer: str
    kind: str
    message: str


def old_causes(violations: Iterable[ValidationError]) -> list[Cause]:
    """Return why the old system's validator refused a capsule, sorted."""
    causes = set()
    for error in violations:
        kind = OTHER
        pointer = pointer_of(tuple(error.absolute_path))
        inside = pointer == "/event" or pointer.startswith("/event/")
        if error.validator == "additionalProperties" and inside:
            kind = "unknown_property"
        elif error.validator == "type" and inside and _is_whole_float(error):
            kind = "whole_float"
        causes.add(Cause(str(error.validator), general(pointer), kind, _cut(error.message)))
    return sorted(causes)[:MAX_CAUSES]


def new_causes(error: EventError, body: Any) -> list[Cause]:
    """Return why the service refused an event, sorted."""
    if not isinstance(error, SchemaViolation):
        return [Cause(error.reason, general(error.pointer or ""), OTHER, _cut(str(error)))]
    causes = set()
    for violation in error.violations:
        value = _at(body, violation.pointer)
        pointer = violation.pointer
        kind = OTHER
        if _is_safe_bound(violation) and _is_beyond(value):
            kind = "beyond_safe_integer"
        elif (pointer == "/event" and not isinstance(value, dict)) or (
            # A missing event is taken for an empty one, which may then lack what it must have.
            violation.keyword == "required" and not _at(body, "/event")
        ):
            kind = "event_missing"
        causes.add(Cause(violation.keyword, general(pointer), kind, _cut(violation.message)))
    return sorted(causes)[:MAX_CAUSES]


def class_of(causes: Sequence[Cause]) -> str:
    """Name the class of a difference: several, joined, if an event has more than one."""
    return "+".join(sorted({cause.kind for cause in causes}))


def general(pointer: str) -> str:
    """Return a pointer with `*` for every position in an array."""
    return _INDEX.sub("/*", pointer)


def _is_whole_float(error: ValidationError) -> bool:
    wanted = error.validator_value
    listed = wanted if isinstance(wanted, list) else [wanted]
    value = error.instance
    return "integer" in listed and isinstance(value, float) and value.is_integer()


def _is_safe_bound(violation: Violation) -> bool:
    limit = violation.params.get("limit")
    return violation.keyword in {"minimum", "maximum"} and limit in {SAFE, -SAFE}


def _is_beyond(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.fabs(value) > SAFE
    )


def _at(value: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"

"""Why a judge refused an event: the rule, the place, and the class of the difference."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError

from app.core.errors import EventError, SchemaViolation, Violation
from app.core.json import escaped, text_of
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
        pointers = [pointer]
        if error.validator == "additionalProperties":
            kind = "unknown_property" if inside else OTHER
            pointers = [f"{pointer}/{escaped(name)}" for name in _unlisted(error)] or pointers
        elif error.validator == "type" and inside and _is_whole_float(error):
            kind = "whole_float"
        for each in pointers:
            causes.add(Cause(str(error.validator), general(each), kind, cut(error.message)))
    return sorted(causes)[:MAX_CAUSES]


def new_causes(error: EventError, body: Any, capsule: Any) -> list[Cause]:
    """Return why the service refused an event, sorted; `capsule` is what the old system read."""
    # A missing event is taken for an empty one, which may then lack what it must have.
    missing = isinstance(capsule, dict) and not isinstance(capsule.get("event"), dict)
    if not isinstance(error, SchemaViolation):
        pointer = error.pointer or ""
        # What does not fit in 64 bits never gets as far as a schema.
        large = error.reason == "malformed" and _is_beyond_integer(_at(capsule, pointer))
        kind = "beyond_safe_integer" if large else OTHER
        return [Cause(error.reason, general(pointer), kind, cut(str(error)))]
    causes = set()
    for violation in error.violations:
        value = _at(body, violation.pointer)
        pointer = violation.pointer
        kind = OTHER
        if _is_safe_bound(violation) and _is_beyond(value):
            kind = "beyond_safe_integer"
        elif missing and (pointer == "/event" or pointer.startswith("/event/")):
            kind = "event_missing"
        causes.add(Cause(violation.keyword, general(pointer), kind, cut(violation.message)))
    return sorted(causes)[:MAX_CAUSES]


def class_of(causes: Sequence[Cause]) -> str:
    """Name the class of a difference: several, joined, if an event has more than one."""
    return "+".join(sorted({cause.kind for cause in causes}))


def general(pointer: str) -> str:
    """Return a pointer with `*` for every position in an array."""
    return _INDEX.sub("/*", pointer)


def cut(message: str) -> str:
    """Return a message as it is shown: not too long, and storable."""
    return text_of(message, MAX_MESSAGE)


def _unlisted(error: ValidationError) -> list[str]:
    listed = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    if not isinstance(error.instance, dict):
        return []
    return [cut(name) for name in error.instance if name not in listed]


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


def _is_beyond_integer(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > SAFE


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

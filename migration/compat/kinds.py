"""The kinds of JSON values that schemas can tell apart, and the names that types have for them.

The old system's `integer` took 5 and not 5.0; draft-07's takes both. So a number is of one of three
kinds: `int` (5), `whole` (5.0) and `fraction` (5.5).
"""

from collections.abc import Iterable
from typing import Any

NUMBERS = frozenset(("int", "whole", "fraction"))
ALL = NUMBERS | {"null", "boolean", "string", "array", "object"}

STRICT_INTEGER = "strict integer"
TYPES: dict[str, frozenset[str]] = {
    "null": frozenset(("null",)),
    "boolean": frozenset(("boolean",)),
    "string": frozenset(("string",)),
    "array": frozenset(("array",)),
    "object": frozenset(("object",)),
    "integer": frozenset(("int", "whole")),
    "number": NUMBERS,
    STRICT_INTEGER: frozenset(("int",)),
    # What no schema can say, for taking a type apart.
    "int": frozenset(("int",)),
    "whole": frozenset(("whole",)),
    "fraction": frozenset(("fraction",)),
}
_NAMES = ("object", "array", "string", "number", "integer", "boolean", "null")


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "int"
        case float():
            return "whole" if value.is_integer() else "fraction"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def listed(type_: str | list[str]) -> list[str]:
    """Return the names in a schema's `type`, which may be one or a list of them."""
    return [type_] if isinstance(type_, str) else type_


def kinds_of_type(type_: str | list[str]) -> frozenset[str]:
    """Return the kinds that a schema's `type` takes."""
    return frozenset(kind for name in listed(type_) for kind in TYPES[name])


def type_names(kinds: Iterable[str]) -> list[str]:
    """Return the types that say the same as a set of kinds, as far as types can."""
    left = set(kinds)
    names = []
    for name in _NAMES:
        if left and TYPES[name] <= left:
            names.append(name)
            left -= TYPES[name]
    return names + ([STRICT_INTEGER] if left == {"int"} else sorted(left))

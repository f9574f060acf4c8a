"""`allOf` merged away: one schema that says what all of them say, so that readers need no logic.

Fragments that are closed (`additionalProperties: false`) are opened for each other on the way: the
whole takes the properties of all of them and no others. What cannot be merged stays in `allOf`.
"""

from collections.abc import Callable
from typing import Any

from app.schemas.keywords import MANY, NAMED, ONE, pointer_of
from app.schemas.keywords import Path as Steps
from app.schemas.repository import Document
from migration.materializerefs import MaterializeError

_OWN = frozenset(("title", "description", "$id", "$schema", "$comment", "default", "examples"))
_FIRST = ("title", "description", "$id", "$schema", "type")
# Keywords that mean something only together.
_CONDITION = frozenset(("if", "then", "else"))
_ITEMS = frozenset(("items", "additionalItems"))
_LAST = ("additionalProperties", "required", "properties", "allOf", "examples")


def merged(schema: Document, steps: Steps = ()) -> Document:
    """Return a schema with its `allOf`s merged, at every depth; raises MaterializeError."""
    deep: Document = {}
    for keyword, value in schema.items():
        deep[keyword] = _inner(keyword, value, (*steps, keyword))
    parts = deep.pop("allOf", None)
    if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
        deep = _joined([deep, *parts], steps)
    elif parts is not None:
        deep["allOf"] = parts
    return _ordered(deep)


def _inner(keyword: str, value: Any, steps: Steps) -> Any:
    if isinstance(value, dict) and keyword in ONE:
        return merged(value, steps)
    if isinstance(value, dict) and keyword in NAMED:
        return {
            name: merged(one, (*steps, name)) if isinstance(one, dict) else one
            for name, one in value.items()
        }
    if isinstance(value, list) and keyword in MANY:
        return [
            merged(one, (*steps, i)) if isinstance(one, dict) else one
            for i, one in enumerate(value)
        ]
    return value


def _joined(parts: list[Document], steps: Steps) -> Document:
    """Return what all parts say at once; the first that says what is no rule has its way.

    Examples are kept of the first part only: those of a part are none of the whole.
    """
    whole: Document = dict(parts[0])
    left: list[Any] = whole.pop("allOf", [])
    for part in parts[1:]:
        apart = _apart(whole, part)
        if apart:
            left.append({keyword: part[keyword] for keyword in part if keyword in apart})
        for keyword, value in part.items():
            if keyword in apart or keyword == "examples":
                continue
            if keyword == "allOf":
                left.extend(value)  # what could not be merged further in
            elif keyword not in whole:
                whole[keyword] = value
            elif keyword not in _OWN and not alike(whole[keyword], value):
                whole[keyword] = _both(keyword, whole[keyword], value, (*steps, keyword))
    if left:
        whole["allOf"] = left
    return whole


def _both(keyword: str, one: Any, other: Any, steps: Steps) -> Any:
    try:
        return _RULES[keyword](one, other, steps)
    except (AttributeError, TypeError) as error:
        raise MaterializeError(f"one of two {keyword} to be joined is malformed", steps) from error


def _apart(whole: Document, part: Document) -> set[str]:
    """Return the keywords of a part that have to stay in a schema of their own."""
    apart = {
        keyword
        for keyword in part.keys() & whole.keys()
        if keyword not in _RULES
        and keyword not in _OWN
        and keyword != "allOf"
        and not alike(whole[keyword], part[keyword])
    }
    if part.keys() & _CONDITION and whole.keys() & _CONDITION:
        apart |= part.keys() & _CONDITION
    if part.keys() & _ITEMS and whole.keys() & _ITEMS:
        lists = isinstance(whole.get("items"), list) or isinstance(part.get("items"), list)
        if lists or "items" not in part or "items" not in whole:
            apart |= part.keys() & _ITEMS
    return apart


def alike(one: Any, other: Any) -> bool:
    """Say whether two JSON values are the same; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def _ordered(schema: Document) -> Document:
    known = [keyword for keyword in _FIRST if keyword in schema]
    last = [keyword for keyword in _LAST if keyword in schema]
    between = [keyword for keyword in schema if keyword not in {*known, *last}]
    return {keyword: schema[keyword] for keyword in (*known, *between, *last)}


def _types(one: Any, other: Any, steps: Steps) -> Any:
    first = one if isinstance(one, list) else [one]
    second = other if isinstance(other, list) else [other]
    both = [kind for kind in first if kind in second]
    for these, those in ((first, second), (second, first)):
        if "integer" in these and "number" in those and "integer" not in both:
            both.append("integer")
    if not both:
        raise MaterializeError(f"nothing is both {one} and {other}", steps)
    return both if len(both) > 1 else both[0]


def _enum(one: Any, other: Any, steps: Steps) -> Any:
    both = [value for value in one if any(alike(value, another) for another in other)]
    if not both:
        raise MaterializeError("two lists of values are joined that have none in common", steps)
    return both


def _required(one: Any, other: Any, _: Steps) -> Any:
    return sorted({*one, *other})


def _properties(one: Any, other: Any, steps: Steps) -> Any:
    both = {**one}
    for name, schema in other.items():
        both[name] = _schemas(both[name], schema, (*steps, name)) if name in both else schema
    return both


def _schemas(one: Any, other: Any, steps: Steps) -> Any:
    if one is False or other is False:
        return False
    if one is True or other is True:
        return other if one is True else one
    return _ordered(_joined([one, other], steps))


def _named(one: Any, other: Any, steps: Steps) -> Any:
    for name in one.keys() & other.keys():
        if not alike(one[name], other[name]):
            raise MaterializeError(f"{pointer_of((name,))} means two things; rename one", steps)
    return {**one, **other}


def _highest(one: Any, other: Any, _: Steps) -> Any:
    return max(one, other)


def _lowest(one: Any, other: Any, _: Steps) -> Any:
    return min(one, other)


def _either(one: Any, other: Any, _: Steps) -> Any:
    return one or other


_RULES: dict[str, Callable[[Any, Any, Steps], Any]] = {
    "type": _types,
    "enum": _enum,
    "required": _required,
    "properties": _properties,
    "patternProperties": _properties,
    "additionalProperties": _schemas,
    "items": _schemas,
    "propertyNames": _schemas,
    "definitions": _named,
    "uniqueItems": _either,
    "deprecated": _either,
    **dict.fromkeys(
        (
            "minimum",
            "exclusiveMinimum",
            "minLength",
            "minItems",
            "minProperties",
        ),
        _highest,
    ),
    **dict.fromkeys(
        (
            "maximum",
            "exclusiveMaximum",
            "maxLength",
            "maxItems",
            "maxProperties",
        ),
        _lowest,
    ),
}

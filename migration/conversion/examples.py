"""An example of what a schema takes: all its properties, with values that tell their names."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from jsonschema import Draft7Validator

from app.schemas.repository import Document

MAX_DEPTH = 20
MAX_TRIED = 200

NOTHING = object()

_TYPES = ("string", "object", "array", "integer", "number", "boolean", "null")
_INTEGERS = (12345, 1, 0, -1)
_NUMBERS = (12.5, 1, 0.5, -0.5)
_TEXTS = ("2026-01-15T09:32:40.118Z", "2026-01-15", "example.org", "1.0.0", "a", "A", "1", "")


def example_of(schema: Any, name: str, depth: int = 0) -> Any:
    """Return a value that a draft-07 schema without references takes, NOTHING if none is found.

    The same schema always gives the same value.
    """
    if depth > MAX_DEPTH:
        return NOTHING
    if not isinstance(schema, dict):
        return f"example_{name}" if schema else NOTHING
    validator = Draft7Validator(schema)
    for tried, value in enumerate(_candidates(schema, name, depth)):
        if validator.is_valid(value):
            return value
        if tried >= MAX_TRIED:
            break
    return NOTHING


def _candidates(schema: Document, name: str, depth: int) -> Iterator[Any]:
    if "enum" in schema:
        yield from schema["enum"]
        return
    for key in ("anyOf", "allOf"):
        if key in schema:
            rest = {word: value for word, value in schema.items() if word != key}
            parts = schema[key]
            if key == "allOf":
                yield from _candidates(_merged(rest, *parts), name, depth)
            else:
                for part in parts:
                    yield from _candidates(_merged(rest, part), name, depth)
            return
    types = schema.get("type", _TYPES)
    for type_ in [types] if isinstance(types, str) else types:
        yield from _of_type(type_, schema, name, depth)


def _merged(*parts: Document) -> Document:
    """Return schemas as one, as far as examples need it; who asks checks what comes of it."""
    made: Document = {}
    for part in parts:
        both = {
            word: _together(made[word], part[word])
            for word in ("properties", "required", "allOf")
            if word in made and word in part
        }
        made |= part | both
    return made


def _together(one: Any, other: Any) -> Any:
    if isinstance(one, list):
        return [*one, *other]
    return {
        **one,
        **{name: _merged(one[name], it) if name in one else it for name, it in other.items()},
    }


def _of_type(type_: str, schema: Document, name: str, depth: int) -> Iterator[Any]:
    match type_:
        case "object":
            yield from _objects(schema, depth)
        case "array":
            yield from _arrays(schema, name, depth)
        case "string":
            yield from _strings(schema, name)
        case "integer":
            yield from _numbers(schema, _INTEGERS)
        case "number":
            yield from _numbers(schema, _NUMBERS)
        case "boolean":
            yield from (True, False)
        case "null":
            yield None


def _objects(schema: Document, depth: int) -> Iterator[Any]:
    made = {
        name: example_of(one, name, depth + 1) for name, one in schema.get("properties", {}).items()
    }
    whole = {name: value for name, value in made.items() if value is not NOTHING}
    yield whole
    required = schema.get("required", [])
    yield {name: value for name, value in whole.items() if name in required}
    for left_out in whole:
        yield {name: value for name, value in whole.items() if name != left_out}


def _arrays(schema: Document, name: str, depth: int) -> Iterator[Any]:
    items = schema.get("items", {"type": "string"})
    length = max(1, schema.get("minItems", 0))
    if isinstance(items, list):
        made = [example_of(one, name, depth + 1) for one in items]
        if NOTHING not in made:
            more = example_of(schema.get("additionalItems", {}), name, depth + 1)
            yield made + [more] * (length - len(made))
    else:
        one = example_of(items, name, depth + 1)
        if one is not NOTHING and length <= 1_000:  # noqa: PLR2004 (no example is longer)
            yield [one] * length
            if isinstance(items, dict) and "enum" in items:
                yield items["enum"][:length]
            yield [f"{one}_{index}" if index else one for index in range(length)]
            yield list(range(length))
    yield []


def _strings(schema: Document, name: str) -> Iterator[Any]:
    texts = (f"example_{name}", *_TEXTS)
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 8_192)
    if 0 <= shortest <= longest:
        yield from (text.ljust(shortest, "x")[:longest] for text in texts)


def _numbers(schema: Document, usual: tuple[float, ...]) -> Iterator[Any]:
    step = schema.get("multipleOf", 1)
    limits = [
        schema[word]
        for word in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        if word in schema
    ]
    yield from usual
    for limit, offset in product(limits, (0, 1, -1, 0.5, -0.5)):
        yield limit + offset
    for limit in (0, *limits):
        yield step * (limit // step)
        yield step * (limit // step + 1)

"""Rules about properties: what they are called, which types they have, how large numbers get."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from app.core.json import text_of
from app.schemas.keywords import Path as Steps
from app.schemas.keywords import walk
from app.schemas.repository import Document
from migration.layout import PREFIX
from migration.linting.finding import Problem
from migration.linting.subject import Subject
from migration.materialize import SAFE

MAX_SHOWN = 60

_OLD = (f"/{PREFIX}/", f"/fragment/{PREFIX}/")
_SNAKE = re.compile(r"[$a-z]+[a-z0-9_]*")


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


_Is = Callable[[Any], bool]
_IS: dict[str, _Is] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == int(value),
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def snake_case(subject: Subject) -> Iterator[Problem]:
    """Properties are in lower case, with underscores; those of old events are as they are."""
    if subject.uri.startswith(_OLD):
        return
    for steps, schema in walk(subject.document):
        for name in _properties(schema):
            if not _SNAKE.fullmatch(name):
                yield (
                    (*steps, "properties", name),
                    f"{name} is not snake_case: databases that consumers use ignore case",
                )


def one_type(subject: Subject) -> Iterator[Problem]:
    """Every value has one type that is known beforehand."""
    yield from _types(subject.document, ())


def _types(schema: Any, steps: Steps) -> Iterator[Problem]:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind is None:
        yield steps, "it has no type"
        return
    if not isinstance(kind, str):
        said = text_of(json.dumps(kind), MAX_SHOWN)
        yield (*steps, "type"), f"its type is {said}; it has to be one, such as string"
        return
    listed = schema.get("enum")
    for value in listed if isinstance(listed, list) else []:
        if kind in _IS and not _IS[kind](value):
            said = text_of(json.dumps(value), MAX_SHOWN)
            yield (*steps, "enum"), f"it is of type {kind}, and {said} in its list is not"
    for name, inner in _properties(schema).items():
        yield from _types(inner, (*steps, "properties", name))
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        yield from _types(additional, (*steps, "additionalProperties"))
    elif kind == "object" and not isinstance(schema.get("properties"), dict):
        yield steps, "it is an object of which nothing is known; list its properties"
    if kind == "array":
        if isinstance(schema.get("items"), dict):
            yield from _types(schema["items"], (*steps, "items"))
        else:
            yield steps, "it is an array, and what is in it has no one type; give it items"


def required_exists(subject: Subject) -> Iterator[Problem]:
    """What is required is among the properties."""
    for steps, schema in walk(subject.document):
        names = schema.get("required")
        for name in names if isinstance(names, list) else []:
            if not isinstance(name, str) or _in_place(steps):
                continue  # what is no name is no valid schema either
            if name not in _properties(schema):
                yield (*steps, "required"), f"{name} is required, and no property is called so"


def numeric_bounds(subject: Subject) -> Iterator[Problem]:
    """Numbers stay within what every reader holds exactly."""
    for steps, schema in walk(subject.document):
        if schema.get("type") not in ("integer", "number"):
            continue  # of several types is told by another rule
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        bounds = {"minimum": low, "maximum": high}
        missing = [word for word, bound in bounds.items() if not _is_number(bound)]
        if missing:
            yield steps, f"the number has no {' and no '.join(missing)}"
        for word, bound in bounds.items():
            if _is_number(bound) and abs(bound) > SAFE:
                yield (
                    (*steps, word),
                    f"its {word} {bound} is beyond {SAFE}, up to which integers are exact",
                )


def _properties(schema: Document) -> Document:
    named = schema.get("properties")
    return named if isinstance(named, dict) else {}


def _in_place(steps: Steps) -> bool:
    """Say whether a schema judges an object whose properties another schema lists."""
    return any(
        step in {"allOf", "anyOf", "oneOf", "if", "then", "else", "not"} for step in steps[-2:]
    )

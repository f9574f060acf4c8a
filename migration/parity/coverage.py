"""What of a schema the traffic exercised: which properties, which values of enums."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.core.json import escaped

MAX_DEPTH = 10


@dataclass(slots=True)
class Shape:
    """The places of a schema that values can be at: properties by name, and items."""

    pointer: str
    values: frozenset[str] = frozenset()
    properties: dict[str, "Shape"] = field(default_factory=dict)
    items: "Shape | None" = None


def shape_of(schema: Any, pointer: str = "/event", depth: int = 0) -> Shape:
    """Return the shape of an event's old schema."""
    shape = Shape(pointer)
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return shape
    enum = schema.get("enum")
    if isinstance(enum, list):
        shape.values = frozenset(_text(value) for value in enum)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        shape.properties = {
            name: shape_of(one, f"{pointer}/{escaped(name)}", depth + 1)
            for name, one in properties.items()
        }
    if isinstance(schema.get("items"), dict):
        shape.items = shape_of(schema["items"], f"{pointer}/*", depth + 1)
    return shape


def places_of(shape: Shape) -> Iterator[tuple[str, str | None]]:
    """Yield every place of a shape: a pointer, and with it each value of its enum."""
    for inner in shape.properties.values():
        yield inner.pointer, None
        yield from places_of(inner)
    if shape.items:
        yield from places_of(shape.items)
    for value in shape.values:
        yield shape.pointer, value


def count(shape: Shape, value: Any, seen: Counter[tuple[str, str | None]]) -> None:
    """Count the places of a shape that a value has."""
    if shape.values and (text := _text(value)) in shape.values:
        seen[shape.pointer, text] += 1
    if isinstance(value, dict):
        for name, inner in shape.properties.items():
            if name in value:
                seen[inner.pointer, None] += 1
                count(inner, value[name], seen)
    elif isinstance(value, list) and shape.items:
        for item in value:
            count(shape.items, item, seen)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

"""Which parts of a schema are schemas: the one walk that everything here shares."""

from collections.abc import Iterator
from typing import Any

ONE = frozenset(
    (
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
MANY = frozenset(("allOf", "anyOf", "items", "oneOf", "prefixItems"))
NAMED = frozenset(
    (
        "$defs",
        "definitions",
        "dependencies",
        "dependentSchemas",
        "patternProperties",
        "properties",
    )
)
IN_PLACE = frozenset(("allOf", "anyOf", "else", "if", "not", "oneOf", "then"))
"""Keywords whose schemas judge the same value as the schema that holds them."""

Path = tuple[str | int, ...]


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each schema directly within a schema, with the path to it. Booleans are left out."""
    for keyword, value in schema.items():
        if isinstance(value, dict):
            if keyword in ONE:
                yield (keyword,), value
            elif keyword in NAMED:
                for name, inner in value.items():
                    if isinstance(inner, dict):
                        yield (keyword, name), inner
        elif isinstance(value, list) and keyword in MANY:
            for index, inner in enumerate(value):
                if isinstance(inner, dict):
                    yield (keyword, index), inner


def walk(schema: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a schema and every schema within it, with paths."""
    stack: list[tuple[Path, dict[str, Any]]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        yield path, node
        stack.extend((path + step, inner) for step, inner in subschemas(node))


def at(document: Any, path: Path | list[str]) -> Any:
    """Return the value at a path or the tokens of a JSON pointer; raises LookupError."""
    value = document
    for token in path:
        if isinstance(value, list):
            try:
                value = value[int(token)]
            except ValueError as error:
                raise LookupError(token) from error
        elif isinstance(value, dict):
            value = value[token]
        else:
            raise LookupError(token)
    return value

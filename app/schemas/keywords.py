"""Which parts of a schema are schemas: the one walk that everything here shares."""

from collections.abc import Iterator
from typing import Any

from app.core.json import escaped

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
IN_PLACE = frozenset(
    (
        "allOf",
        "anyOf",
        "dependencies",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "then",
    )
)
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
    """Yield a schema and every schema within it, with paths, in the order of the text."""
    stack: list[tuple[Path, dict[str, Any]]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        yield path, node
        stack.extend(reversed([(path + step, inner) for step, inner in subschemas(node)]))


def pointer_of(path: Path | list[str | int]) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{escaped(token)}" for token in path)


def path_of(document: Any, pointer: str) -> Path | None:
    """Return the path that a JSON pointer means in a document, None if there is nothing."""
    value = document
    path: Path = ()
    for text in pointer.split("/")[1:]:
        token: str | int = text.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            if not (text.isascii() and text.isdigit() and int(text) < len(value)):
                return None
            token = int(text)
        elif not isinstance(value, dict) or token not in value:
            return None
        value = value[token]
        path = (*path, token)
    return path


def at(document: Any, path: Path | list[str | int]) -> Any:
    """Return the value at a path that is there."""
    for token in path:
        document = document[token]
    return document

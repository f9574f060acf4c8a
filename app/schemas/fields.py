"""Questions about a whole schema: which fields it has."""

from collections.abc import Iterator
from typing import Any, Literal

from app.schemas.bundle import Bundle
from app.schemas.repository import Document

Field = Literal["declared", "map"]


def field_of(bundle: Bundle, path: str) -> Field | None:
    """Say whether a schema has a field, by its dotted path.

    "declared": the schema names it. "map": the object that would hold it takes any name. None: it
    does not belong there.
    """
    nodes = list(_in_place(bundle, bundle.schema))
    *parents, last = path.split(".")
    for name in parents:
        nodes = _property(bundle, nodes, name)
        if not nodes:
            return None
    if _property(bundle, nodes, last):
        return "declared"
    return "map" if _is_map(nodes) else None


def _property(bundle: Bundle, nodes: list[Document], name: str) -> list[Document]:
    return [
        inner
        for node in nodes
        if name in (properties := _mapping(node.get("properties")))
        for inner in _in_place(bundle, properties[name])
    ]


def _in_place(bundle: Bundle, node: Any) -> Iterator[Document]:
    """Yield a schema and those that judge the same value for certain: by $ref and allOf."""
    stack = [node]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if not isinstance(node, dict):
            node = {}  # true: anything
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield {"$ref": node["$ref"]} if bundle.stands_alone(node) else node
        stack.extend(bundle.certain(node))


def _is_map(nodes: list[Document]) -> bool:
    others = [node["additionalProperties"] for node in nodes if "additionalProperties" in node]
    patterns = any("patternProperties" in node for node in nodes)
    if patterns or (others and not any(other is False for other in others)):
        return True
    # An object of which nothing is said but that it is one.
    is_object = any("object" in _types(node) for node in nodes)
    return not others and is_object and not any("properties" in node for node in nodes)


def _types(node: Document) -> list[Any]:
    kind = node.get("type")
    return kind if isinstance(kind, list) else [kind]


def _mapping(value: Any) -> Document:
    return value if isinstance(value, dict) else {}

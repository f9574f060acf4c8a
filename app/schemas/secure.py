"""The secure rule: schemas whose validation could take long on hostile data are not taken.

It is the rule of the repositories' own continuous integration: what costs time in the length of a
value must say how long that value may be.
"""

from typing import Any

from app.schemas.closure import BrokenSchema, Closure
from app.schemas.keywords import pointer_of
from app.schemas.repository import Document

MAX_PLACES = 50

_SCALARS = frozenset(("string", "number", "integer", "boolean", "null"))


def check_secure(closure: Closure) -> None:
    """Raise BrokenSchema if a schema, as its authors wrote it, breaks the rule anywhere."""
    places = [
        f"{uri}#{pointer_of(path)} {problem}"
        for (uri, path), node in closure.schemas.items()
        for problem in _problems(node)
    ]
    if places:
        more = f" (and {len(places) - MAX_PLACES} more)" if len(places) > MAX_PLACES else ""
        raise BrokenSchema(
            f"it could be slow to validate: {'; '.join(places[:MAX_PLACES])}{more}. Bound these "
            "places, or set schemas.allow_insecure"
        )


def _problems(node: Document) -> list[str]:
    problems = [
        f"has {keyword} and so needs maxLength"
        for keyword in ("pattern", "format")
        if keyword in node and "maxLength" not in node and _may_be(node, "string")
    ]
    names = node.get("propertyNames")
    if "patternProperties" in node and not (isinstance(names, dict) and "maxLength" in names):
        problems.append("has patternProperties and so needs propertyNames with maxLength")
    if (
        node.get("uniqueItems") is True
        and "maxItems" not in node
        and not _are_scalars(node.get("items"))
    ):
        problems.append("has uniqueItems over objects or arrays and so needs maxItems")
    return problems


def _may_be(node: Document, kind: str) -> bool:
    types = _types(node)
    return not types or kind in types


def _are_scalars(items: Any) -> bool:
    types = _types(items) if isinstance(items, dict) else set()
    return bool(types) and types <= _SCALARS


def _types(node: Document) -> set[str]:
    kind = node.get("type")
    if isinstance(kind, str):
        return {kind}
    return {one for one in kind if isinstance(one, str)} if isinstance(kind, list) else set()

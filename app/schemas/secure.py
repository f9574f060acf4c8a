"""The secure rule: schemas whose validation could take long on hostile data are not taken.

It is the rule of the repositories' own continuous integration: what costs time in the length of a
value must say how long that value may be.
"""

from typing import Any

from app.core.json import escaped
from app.schemas.keywords import walk

_SCALARS = frozenset(("string", "number", "integer", "boolean", "null"))


def insecure_places(document: dict[str, Any]) -> list[str]:
    """Return a sentence for every place of a schema that breaks the rule."""
    return [
        f"{'#' + ''.join(f'/{escaped(token)}' for token in path)} {problem}"
        for path, node in walk(document)
        for problem in _problems(node)
    ]


def _problems(node: dict[str, Any]) -> list[str]:
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


def _may_be(node: dict[str, Any], kind: str) -> bool:
    types = _types(node)
    return not types or kind in types


def _are_scalars(items: Any) -> bool:
    types = _types(items) if isinstance(items, dict) else set()
    return bool(types) and types <= _SCALARS


def _types(node: dict[str, Any]) -> set[str]:
    kind = node.get("type")
    if isinstance(kind, str):
        return {kind}
    return {one for one in kind if isinstance(one, str)} if isinstance(kind, list) else set()

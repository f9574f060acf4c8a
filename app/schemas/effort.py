"""How much work a schema makes: refused where it has no bound, measured where an event sets it."""

from collections.abc import Iterator
from typing import Any

from app.schemas.bundle import Bundle
from app.schemas.closure import BrokenSchema
from app.schemas.keywords import IN_PLACE, subschemas
from app.schemas.repository import Document

MAX_EXPANSION = 100_000
FREE_SIZE = 16
"""So many values are copied in the time that a fault takes anyway."""
TEXT_SIZE = 4096
"""So many characters are copied in the time of a value."""


def check_bounded(bundle: Bundle) -> None:
    """Raise BrokenSchema if one value is judged by very many schemas, or by one without end."""
    costs: dict[int, int] = {}
    open_nodes: set[int] = set()

    def cost(node: Any) -> int:
        if not isinstance(node, dict):
            return 1
        key = id(node)
        if key in costs:
            return costs[key]
        if key in open_nodes:
            raise BrokenSchema("it refers to itself for one and the same value, without end")
        open_nodes.add(key)
        total = 1 + sum(cost(inner) for inner in in_place(bundle, node))
        open_nodes.discard(key)
        if total > MAX_EXPANSION:
            raise BrokenSchema(
                f"it judges one value by more than {MAX_EXPANSION:,} schemas through its references"
            )
        costs[key] = total
        return total

    for part in bundle.parts:
        cost(part)


def in_place(bundle: Bundle, node: Document) -> Iterator[Any]:
    """Yield the schemas that may judge the same value as a schema does."""
    target = bundle.referred(node)
    if target is not None:
        yield target
    if not bundle.stands_alone(node):
        for path, inner in subschemas(node):
            if path[0] in IN_PLACE:
                yield inner


def within(bundle: Bundle, body: Any, limit: int) -> bool:
    """Say whether listing the faults of a value costs at most `limit`: about 10 µs each.

    Each value counts once per schema it meets, and once more for each property that it lacks there.
    The validator remembers what it has judged, but it lists faults without memory and at once, with
    a copy of what each is about: a hundred bytes under a recursive schema can have a million.
    """
    sizes: dict[int, int] = {}
    if not _measured(body, limit, sizes):
        return False
    stack: list[tuple[Any, Any]] = [(bundle.schema, body)]
    while stack:
        if limit < 0:
            return False
        node, value = stack.pop()
        limit -= 1
        if not isinstance(node, dict):
            continue
        stack.extend((inner, value) for inner in in_place(bundle, node))
        if bundle.stands_alone(node):
            continue
        lacks = _lacks(node, value)
        limit -= lacks + (1 + lacks) * _size(value, sizes) // FREE_SIZE
        for path, inner in subschemas(node):
            for child in _met(path, value):
                stack.append((inner, child))
                limit -= 1
            if limit < 0:
                return False
    return limit >= 0


def _lacks(node: Document, value: Any) -> int:
    """Return how many properties a schema misses in a value: each is a fault of its own."""
    if not isinstance(value, dict):
        return 0
    wanted = [node.get("required")]
    for keyword in ("dependencies", "dependentRequired"):
        wanted += [names for name, names in node.get(keyword, {}).items() if name in value]
    return sum(name not in value for names in wanted if isinstance(names, list) for name in names)


def _met(path: tuple[str | int, ...], value: Any) -> Iterator[Any]:
    """Yield the parts of a value that the schema at a path below its own may judge."""
    keyword = path[0]
    if isinstance(value, dict):
        if keyword == "properties":
            if path[1] in value:
                yield value[path[1]]
        elif keyword in ("additionalProperties", "patternProperties", "unevaluatedProperties"):
            yield from value.values()
        elif keyword == "propertyNames":
            yield from value
    elif isinstance(value, list):
        if keyword in ("items", "prefixItems") and len(path) > 1:
            yield from value[int(path[1]) : int(path[1]) + 1]
        elif keyword in ("additionalItems", "contains", "items", "unevaluatedItems"):
            yield from value


def _measured(body: Any, limit: int, sizes: dict[int, int]) -> bool:
    """Note the sizes of all objects and arrays by id; say whether they are `limit` values at most.

    They are known to live as long as the body does.
    """
    containers = []
    stack = [body]
    while stack:
        value = stack.pop()
        if not isinstance(value, dict | list):
            continue
        limit -= len(value)
        if limit < 0:
            return False
        containers.append(value)
        stack.extend(value.values() if isinstance(value, dict) else value)
    for value in reversed(containers):  # the inner ones first
        inner = value.values() if isinstance(value, dict) else value
        sizes[id(value)] = 1 + sum(_size(one, sizes) for one in inner)
    return True


def _size(value: Any, sizes: dict[int, int]) -> int:
    """Return what a copy of a value costs, in values."""
    if isinstance(value, str):
        return 1 + len(value) // TEXT_SIZE
    return sizes.get(id(value), 1) if isinstance(value, dict | list) else 1

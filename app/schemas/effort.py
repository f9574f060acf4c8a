"""How much work a schema makes: refused where it has no bound, measured where an event sets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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

_EVERY_VALUE = frozenset(("additionalProperties", "patternProperties", "unevaluatedProperties"))
_EVERY_ITEM = frozenset(("additionalItems", "contains", "items", "unevaluatedItems"))
_DEPENDENT = ("dependencies", "dependentRequired")
_SECOND = (
    IN_PLACE
    | _EVERY_VALUE
    | _EVERY_ITEM
    | frozenset(("$ref", "propertyNames", "prefixItems", *_DEPENDENT))
) - frozenset(("additionalProperties", "items"))
"""Where a schema has one of these, a value may be judged by more than one."""


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


class Effort:
    """Measures what listing the faults of a value costs; each schema is looked at once only."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._reaches: dict[int, _Reach] = {}
        self._faults_each = _faults_each(bundle)

    def within(self, body: Any, limit: int) -> bool:
        """Say whether listing the faults of a value costs at most `limit`: about 10 µs each.

        Each value counts once per schema it meets, and once more for each property that it lacks
        there. The validator remembers what it has judged, but it lists faults without memory and
        at once, with a copy of what each is about: a hundred bytes under a recursive schema can
        have a million.
        """
        if self._faults_each and _extent(body, limit) * self._faults_each <= limit:
            return True
        sizes: dict[int, int] = {}
        if not _measured(body, limit, sizes):
            return False
        stack: list[tuple[Any, Any]] = [(self._bundle.schema, body)]
        while stack:
            if limit < 0:
                return False
            node, value = stack.pop()
            limit -= 1
            if not isinstance(node, dict):
                continue
            reach = self._reaches.get(id(node)) or self._reach_of(node)
            if reach.same:
                stack.extend([(inner, value) for inner in reach.same])
            if reach.only_same:
                continue
            lacks = reach.lacking(value) if reach.wants else 0
            limit -= lacks + (1 + lacks) * _size(value, sizes) // FREE_SIZE
            if reach.leads_inside and isinstance(value, dict | list):
                for inner in reach.into(value):
                    stack.append(inner)
                    limit -= 1
                    if limit < 0:
                        return False
        return limit >= 0

    def _reach_of(self, node: Document) -> "_Reach":
        reach = self._reaches[id(node)] = _reach(self._bundle, node)  # nodes live as long as this
        return reach


@dataclass(frozen=True, slots=True)
class _Reach:
    """What one schema wants of a value, and which schemas judge the value and its parts with it."""

    same: tuple[Any, ...]
    only_same: bool
    required: tuple[str, ...]
    dependent: tuple[tuple[str, tuple[str, ...]], ...]
    properties: Mapping[str, Any]
    every_value: tuple[Any, ...]
    every_name: tuple[Any, ...]
    positions: tuple[tuple[int, Any], ...]
    every_item: tuple[Any, ...]
    wants: bool
    leads_inside: bool

    def lacking(self, value: Any) -> int:
        """Return how many properties a value lacks: each is a fault of its own."""
        if not isinstance(value, dict):
            return 0
        lacks = sum(name not in value for name in self.required)
        for name, names in self.dependent:
            if name in value:
                lacks += sum(other not in value for other in names)
        return lacks

    def into(self, value: dict[str, Any] | list[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield schemas with the parts of a value that they may judge."""
        if isinstance(value, dict):
            for name, inner in self.properties.items():
                if name in value:
                    yield inner, value[name]
            for inner in self.every_value:
                for child in value.values():
                    yield inner, child
            for inner in self.every_name:
                for name in value:
                    yield inner, name
            return
        for index, inner in self.positions:
            if index < len(value):
                yield inner, value[index]
        for inner in self.every_item:
            for child in value:
                yield inner, child


def _reach(bundle: Bundle, node: Document) -> _Reach:
    inside = [(path, inner) for path, inner in subschemas(node) if path[0] not in IN_PLACE]
    required = _names(node.get("required"))
    dependent = tuple(
        (name, _names(names))
        for keyword in _DEPENDENT
        for name, names in node.get(keyword, {}).items()
        if isinstance(names, list)
    )
    return _Reach(
        same=tuple(in_place(bundle, node)),
        only_same=bundle.stands_alone(node),
        required=required,
        dependent=dependent,
        properties={str(path[1]): inner for path, inner in inside if path[0] == "properties"},
        every_value=tuple(inner for path, inner in inside if path[0] in _EVERY_VALUE),
        every_name=tuple(inner for path, inner in inside if path[0] == "propertyNames"),
        positions=tuple(
            (int(path[1]), inner)
            for path, inner in inside
            if path[0] in ("items", "prefixItems") and len(path) > 1
        ),
        every_item=tuple(
            inner for path, inner in inside if path[0] in _EVERY_ITEM and len(path) == 1
        ),
        wants=bool(required or dependent),
        leads_inside=bool(inside),
    )


def _names(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _faults_each(bundle: Bundle) -> int:
    """Return how many faults a value can have, if no value meets two schemas; else 0."""
    if any(part.keys() & _SECOND for part in bundle.parts):
        return 0
    return 1 + max((len(_names(part.get("required"))) for part in bundle.parts), default=0)


def _extent(body: Any, limit: int) -> int:
    """Return how many values there are, with the copies that faults make; once beyond `limit`."""
    extent = depth = 0
    level = [body]
    while level and extent <= limit:
        depth += 1
        extent += len(level)
        inner: list[Any] = []
        for value in level:
            kind = type(value)  # what JSON brings has no other; to ask isinstance takes longer
            if kind is str:
                extent += len(value) // TEXT_SIZE
            elif kind is dict:
                inner.extend(value.values())
            elif kind is list:
                inner.extend(value)
        level = inner
    # A value is copied with each of those that hold it.
    return extent + extent * depth // FREE_SIZE


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

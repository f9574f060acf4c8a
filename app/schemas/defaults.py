"""Defaults of a schema, filled into events as EventGate does it, before they are judged.

A default is set where its object is there but its property is not; under `allOf`, `$ref` and
`items`, but not under `anyOf`, `oneOf`, `not` or `if`, which only ask. A null is there.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import EventTooLarge
from app.core.json import MAX_DEPTH
from app.schemas.bundle import Bundle
from app.schemas.closure import BrokenSchema
from app.schemas.repository import Document

MAX_FILLED = 1_000
MAX_STAGES = 500_000
BUDGET = 50_000
"""Values that defaults may bring to one event; a text counts as one for each 4,096 characters."""
TEXT_SIZE = 4_096

NO_DEFAULT = object()

Fill = Callable[[dict[str, Any]], dict[str, Any]]
Spend = Callable[[Any], None]
"""Told of each default before it is filled in; may raise to end that."""


def defaults_of(bundle: Bundle) -> Fill | None:
    """Return the function that fills a schema's defaults, None if it has none.

    The function returns its argument if there is nothing to fill, else a copy; it edits nothing,
    and raises EventTooLarge for an event that would gain more than 50,000 values.
    BrokenSchema is raised for defaults that bring more than 1,000 others with them, and for
    500,000 places that share them.
    """
    plans: dict[int, _Plan] = {}
    root = _plan_of(bundle, bundle.schema, plans)
    _prune(plans.values())
    if not root.useful:
        return None
    for plan in plans.values():
        _check_ends(plan)

    sizes: dict[int, int] = {}  # of defaults by id; they live as long as this

    def fill(body: dict[str, Any]) -> dict[str, Any]:
        budget = BUDGET

        def spend(default: Any) -> None:
            nonlocal budget
            budget -= sizes.get(id(default)) or sizes.setdefault(id(default), _size(default))
            if budget < 0:
                raise _too_many()

        filled: dict[str, Any] = _filled(root, body, spend)
        return filled

    return fill


def _too_many() -> EventTooLarge:
    return EventTooLarge(
        f"The defaults of its schema would add more than {BUDGET:,} values to the event.",
        expected=f"an event that gains at most {BUDGET:,} values",
        hint="Send fewer objects in one event, or set what the schema's defaults would fill in.",
    )


def _size(value: Any) -> int:
    """Return how many values a default has, long texts counted as several."""
    size = 0
    stack = [value]
    while stack:
        value = stack.pop()
        size += 1
        if isinstance(value, str):
            size += len(value) // TEXT_SIZE
        elif isinstance(value, dict | list):
            stack.extend(value.values() if isinstance(value, dict) else value)
    return size


@dataclass(slots=True)
class _Plan:
    """What one schema fills into the value that it judges. It may lead back to itself."""

    properties: list[tuple[str, Any, "_Plan"]] = field(default_factory=list)
    positions: list[tuple[Any, "_Plan"]] = field(default_factory=list)
    items: "_Plan | None" = None
    also: list["_Plan"] = field(default_factory=list)
    useful: bool = False
    stages: list["_Plan"] = field(default_factory=list)  # itself, and whatever else fills the value

    def inner(self) -> Iterable["_Plan"]:
        yield from (plan for _, _, plan in self.properties)
        yield from (plan for _, plan in self.positions)
        yield from self.also
        if self.items is not None:
            yield self.items


def _plan_of(bundle: Bundle, node: Any, plans: dict[int, _Plan]) -> _Plan:
    if not isinstance(node, dict):
        return _Plan()
    if id(node) in plans:
        return plans[id(node)]
    plan = plans[id(node)] = _Plan()
    plan.also = [_plan_of(bundle, one, plans) for one in bundle.certain(node)]
    if bundle.stands_alone(node):
        return plan
    properties = node.get("properties")
    if isinstance(properties, dict):
        plan.properties = [
            (name, _default(inner), _plan_of(bundle, inner, plans))
            for name, inner in properties.items()
        ]
    positions, items = _items_of(node)
    plan.positions = [(_default(one), _plan_of(bundle, one, plans)) for one in positions]
    if isinstance(items, dict):
        plan.items = _plan_of(bundle, items, plans)
    return plan


def _items_of(node: Document) -> tuple[list[Any], Any]:
    """Return the schemas of the first items, and that of the rest."""
    items, first = node.get("items"), node.get("prefixItems")
    if isinstance(items, list):
        return items, node.get("additionalItems")
    return (first if isinstance(first, list) else []), items


def _default(node: Any) -> Any:
    return node.get("default", NO_DEFAULT) if isinstance(node, dict) else NO_DEFAULT


def _prune(plans: Iterable[_Plan]) -> None:
    """Leave only what can fill something: most of a schema has no defaults."""
    plans = list(plans)
    outer: dict[int, list[_Plan]] = {}
    for plan in plans:
        for inner in plan.inner():
            outer.setdefault(id(inner), []).append(plan)
    waiting = [
        plan
        for plan in plans
        if any(default is not NO_DEFAULT for _, default, _ in plan.properties)
        or any(default is not NO_DEFAULT for default, _ in plan.positions)
    ]
    while waiting:
        plan = waiting.pop()
        if not plan.useful:
            plan.useful = True
            waiting += outer.get(id(plan), [])
    for plan in plans:
        plan.properties = [
            (name, default, inner)
            for name, default, inner in plan.properties
            if default is not NO_DEFAULT or inner.useful
        ]
        if plan.items is not None and not plan.items.useful:
            plan.items = None
    budget = MAX_STAGES
    for plan in plans:
        plan.stages = _stages_of(plan)
        budget -= len(plan.stages)
        if budget < 0:
            raise BrokenSchema(
                f"its defaults are reached in more than {MAX_STAGES:,} ways through its references"
            )


def _stages_of(plan: _Plan) -> list[_Plan]:
    stages: dict[int, _Plan] = {}
    waiting = [plan]
    while waiting:
        one = waiting.pop()
        if one.useful and id(one) not in stages:
            stages[id(one)] = one
            waiting += reversed(one.also)
    return list(stages.values())


def _check_ends(plan: _Plan) -> None:
    """Refuse defaults whose own objects are filled again, without end or with very much."""
    budget = MAX_FILLED

    def spend(_default: Any) -> None:
        nonlocal budget
        budget -= 1
        if budget < 0:
            raise BrokenSchema(f"a default brings more than {MAX_FILLED:,} others with it")

    if _depth(_filled(plan, {}, spend)) > MAX_DEPTH:
        raise BrokenSchema("a default fills itself without end")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _filled(plan: _Plan, value: Any, spend: Spend, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:  # such an event is refused for its depth
        return value
    if isinstance(value, dict):
        for stage in plan.stages:
            value = _filled_object(stage, value, spend, depth)
    elif isinstance(value, list):
        for stage in plan.stages:
            value = _filled_array(stage, value, spend, depth)
    return value


def _filled_object(plan: _Plan, value: dict[str, Any], spend: Spend, depth: int) -> dict[str, Any]:
    changes = {}
    for name, default, inner in plan.properties:
        old = value.get(name, NO_DEFAULT)
        new = old
        if old is NO_DEFAULT:
            if default is NO_DEFAULT:
                continue
            spend(default)
            new = copy.deepcopy(default)
        if inner.useful:
            new = _filled(inner, new, spend, depth + 1)
        if new is not old:
            changes[name] = new
    return {**value, **changes} if changes else value


def _filled_array(plan: _Plan, value: list[Any], spend: Spend, depth: int) -> list[Any]:
    if not plan.positions and plan.items is None:
        return value
    filled = list(value)
    for position, (default, inner) in enumerate(plan.positions):
        if position == len(filled):
            if default is NO_DEFAULT:
                break
            spend(default)
            filled.append(copy.deepcopy(default))
        filled[position] = _filled(inner, filled[position], spend, depth + 1)
    if plan.items is not None:
        for position in range(len(plan.positions), len(filled)):
            filled[position] = _filled(plan.items, filled[position], spend, depth + 1)
    same = len(filled) == len(value) and all(
        new is old for new, old in zip(filled, value, strict=True)
    )
    return value if same else filled

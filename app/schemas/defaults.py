"""Defaults of a schema, filled into events as EventGate does it, before they are judged.

A default is set where its object is there but its property is not; under `allOf`, `$ref` and
`items`, but not under `anyOf`, `oneOf`, `not` or `if`, which only ask. A null is there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.core.json import MAX_DEPTH
from app.schemas.closure import resolve
from app.schemas.keywords import walk
from app.schemas.repository import Document

NO_DEFAULT = object()

Fill = Callable[[dict[str, Any]], dict[str, Any]]


def defaults_of(bundle: Document) -> Fill | None:
    """Return the function that fills a schema's defaults, None if it has none.

    The function returns its argument if there is nothing to fill, else a copy; it edits nothing.
    """
    if not any(_has_default(node) for _, node in walk(bundle)):
        return None
    filler = _filler_of(bundle, bundle, {})

    def fill(body: dict[str, Any]) -> dict[str, Any]:
        filled: dict[str, Any] = _filled(filler, body, 0)
        return filled

    return fill


@dataclass(slots=True)
class _Filler:
    """What one schema fills into the value that it judges."""

    properties: list[tuple[str, Any, "_Filler"]] = field(default_factory=list)
    items: "_Filler | None" = None
    positions: list[tuple[Any, "_Filler"]] = field(default_factory=list)
    also: list["_Filler"] = field(default_factory=list)


def _has_default(node: Document) -> bool:
    properties = node.get("properties")
    items = node.get("items")
    inner = list(properties.values()) if isinstance(properties, dict) else []
    inner += items if isinstance(items, list) else []
    return any(isinstance(one, dict) and "default" in one for one in inner)


def _filler_of(bundle: Document, node: Any, known: dict[int, _Filler]) -> _Filler:
    if not isinstance(node, dict):
        return _Filler()
    if id(node) in known:
        return known[id(node)]
    filler = known[id(node)] = _Filler()
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        filler.also.append(_filler_of(bundle, resolve(bundle, reference), known))
    properties = node.get("properties")
    if isinstance(properties, dict):
        filler.properties = [
            (name, _default(inner), _filler_of(bundle, inner, known))
            for name, inner in properties.items()
        ]
    items = node.get("prefixItems", node.get("items"))
    if isinstance(items, list):
        filler.positions = [(_default(one), _filler_of(bundle, one, known)) for one in items]
    elif isinstance(items, dict):
        filler.items = _filler_of(bundle, items, known)
    every = node.get("allOf")
    if isinstance(every, list):
        filler.also += [_filler_of(bundle, one, known) for one in every]
    return filler


def _default(node: Any) -> Any:
    return node.get("default", NO_DEFAULT) if isinstance(node, dict) else NO_DEFAULT


def _filled(filler: _Filler, value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:  # such an event is refused for its depth
        return value
    if isinstance(value, dict):
        for name, default, inner in filler.properties:
            if name not in value:
                if default is NO_DEFAULT:
                    continue
                value = {**value, name: copy.deepcopy(default)}
            before = value[name]
            if isinstance(before, dict | list):
                after = _filled(inner, before, depth + 1)
                if after is not before:
                    value = {**value, name: after}
    elif isinstance(value, list):
        for position, (default, inner) in enumerate(filler.positions):
            if position > len(value) or (position == len(value) and default is NO_DEFAULT):
                break
            if position == len(value):
                value = [*value, copy.deepcopy(default)]
            after = _filled(inner, value[position], depth + 1)
            if after is not value[position]:
                value = [*value[:position], after, *value[position + 1 :]]
        if filler.items is not None:
            items = [_filled(filler.items, item, depth + 1) for item in value]
            if any(new is not old for new, old in zip(items, value, strict=True)):
                value = items
    else:
        return value
    for other in filler.also:
        value = _filled(other, value, depth + 1)
    return value

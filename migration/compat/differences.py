"""What two schemas say differently, place by place, whatever it may mean for events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.schemas.formats import FORMATS
from migration.compat.kinds import ALL, kind_of, type_names
from migration.compat.places import EachItem, EachName, Place, shown
from migration.compat.reading import view_of
from migration.compat.views import Choice, Parts, View

MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """`old` and `new` are what each schema says by the keyword; None: nothing.

    The keyword is "properties" where a property itself came or went.
    """

    place: Place
    keyword: str
    old: Any
    new: Any

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        return shown(self.place)


def differences(old: Parts, new: Parts, place: Place = ()) -> Iterator[Difference]:
    """Yield the differences of two schemas, in the order of the new one."""
    if len(place) > MAX_DEPTH:
        return
    one, other = view_of(old), view_of(new)
    before, after = _facts(one), _facts(other)
    for keyword in before | after:
        if before.get(keyword) != after.get(keyword):
            yield Difference(place, keyword, before.get(keyword), after.get(keyword))
    for name in other.listed | one.listed:
        yield from _of_property(one, other, name, (*place, name))
    positions = max(one.positions, other.positions)
    for position in range(positions + 1):
        items = one.item(position), other.item(position)
        if items != ((), ()) and _ids(items[0]) != _ids(items[1]):
            step = position if position < positions else EachItem(positions)
            yield from differences(*items, (*place, step))
    others = one.unnamed(()), other.unnamed(())
    if any(_is_map(parts) for parts in others):
        yield from differences(*others, (*place, EachName()))


def _of_property(one: View, other: View, name: str, place: Place) -> Iterator[Difference]:
    old, new = name in one.listed, name in other.listed
    needed = name in one.required, name in other.required
    if old != new:
        yield Difference(place, "properties", _declared(one, name), _declared(other, name))
    if needed[0] != needed[1]:
        yield Difference(place, "required", needed[0] or None, needed[1] or None)
    defaults = one.defaults.get(name), other.defaults.get(name)
    if defaults[0] != defaults[1]:
        yield Difference(place, "default", *defaults)
    if old == new:
        yield from differences(one.child(name), other.child(name), place)


def _declared(view: View, name: str) -> Any:
    if name not in view.listed:
        return None
    return _facts(view_of(view.child(name))) or True


def _is_map(parts: Parts) -> bool:
    return any(isinstance(part.schema, dict) and part.schema for part in parts)


def _ids(parts: Parts) -> list[int]:
    return [id(part.schema) for part in parts]


def _facts(view: View) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "type": type_names(view.kinds) if view.kinds != ALL else None,
        "enum": _options(view),
        **_bound("minimum", view.low),
        **_bound("maximum", view.high),
        "multipleOf": [number for _, number in view.multiples],
        "minLength": view.min_length,
        "maxLength": view.max_length,
        "pattern": [text for _, text in view.patterns if text not in FORMATS],
        "format": view.formats,
        "minItems": view.min_items,
        "maxItems": view.max_items,
        "uniqueItems": view.unique,
        "contains": [part.schema for part in view.contains],
        "minProperties": view.min_properties,
        "maxProperties": view.max_properties,
        "propertyNames": [part.schema for part in view.names],
        "dependencies": {
            name: wanted if isinstance(wanted, list) else wanted.schema
            for name, wanted in view.dependencies
        },
        "patternProperties": {
            text: part.schema for rule in view.objects for (_, text), part in rule.patterns.items()
        },
        "additionalProperties": _additional(view),
    }
    for choice in view.choices:
        facts.setdefault(choice.key[1], []).append(_said(choice))
    facts |= {keyword: operand for _, keyword, operand in view.leaves}
    return {
        keyword: value
        for keyword, value in facts.items()
        if value is not None and (value or keyword in _MEANT_WHEN_EMPTY)
    }


_MEANT_WHEN_EMPTY = frozenset(
    (
        "additionalProperties",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minimum",
        "type",
    )
)


def _options(view: View) -> list[Any] | None:
    """Return the values that are left, without 5.0 beside 5."""
    if view.options is None:
        return None
    whole = {value for value in view.options if kind_of(value) == "int"}
    return [
        value for value in view.options if not (kind_of(value) == "whole" and int(value) in whole)
    ]


def _bound(keyword: str, bound: tuple[Any, bool] | None) -> dict[str, Any]:
    if bound is None:
        return {}
    return {f"exclusive{keyword.capitalize()}" if bound[1] else keyword: bound[0]}


def _additional(view: View) -> Any:
    said = [rule.additional.schema for rule in view.objects if rule.additional is not None]
    said = [one for one in said if one not in (True, {})]
    if False in said:
        return False
    return said or None


def _said(choice: Choice) -> Any:
    return [part.schema for part in choice.branches]

"""Whether schemas, put together, take a value: part by part, as the whole validators would."""

from collections.abc import Iterable
from typing import Any

from migration.compat.kinds import NUMBERS, kind_of
from migration.compat.leaves import takes
from migration.compat.reading import view_of
from migration.compat.views import Choice, Part, View, matches


def accepts(parts: Iterable[Part], value: Any) -> bool:
    """Say whether all the schemas take a value as it is; defaults are not filled."""
    return refusal(view_of(parts), value) is None


def lists_all(parts: Iterable[Part], value: Any) -> bool:
    """Say whether every property within a value is listed, or belongs to a map.

    What is listed only by a schema that is asked (a branch of a choice) does not count.
    """
    view = view_of(parts)
    if isinstance(value, list):
        return all(lists_all(view.item(i), item) for i, item in enumerate(value))
    if not isinstance(value, dict):
        return True
    return all(
        (view.is_open or name in view.listed) and lists_all(view.child(name), item)
        for name, item in value.items()
    )


def refusal(view: View, value: Any) -> str | None:
    """Return a keyword by which a value is refused; None if it is taken."""
    kind = kind_of(value)
    if kind not in view.kinds:
        return "type"
    if view.options is not None and not any(_same(one, value) for one in view.options):
        return "enum"
    if any(not _takes(keyword, operand, value, old) for old, keyword, operand in view.leaves):
        return view.leaves[0][1]
    if kind in NUMBERS:
        found = _number(view, value)
    elif kind == "string":
        found = _string(view, value)
    elif kind == "array":
        found = _array(view, value)
    elif kind == "object":
        found = _object(view, value)
    else:
        found = None
    if found is not None:
        return found
    for choice in view.choices:
        if not _chosen(choice, value):
            return choice.keyword
    return None


def _takes(keyword: str, operand: Any, value: Any, old: bool) -> bool:
    return takes(keyword, operand, value, old=old)


def _same(option: Any, value: Any) -> bool:
    # 5 and 5.0 are both among the options if both are meant.
    if kind_of(option) != kind_of(value):
        return False
    return takes("const", option, value, old=False)


def _number(view: View, value: Any) -> str | None:
    if view.low and (value < view.low[0] or (view.low[1] and value == view.low[0])):
        return "exclusiveMinimum" if view.low[1] else "minimum"
    if view.high and (value > view.high[0] or (view.high[1] and value == view.high[0])):
        return "exclusiveMaximum" if view.high[1] else "maximum"
    if any(not _takes("multipleOf", one, value, old) for old, one in view.multiples):
        return "multipleOf"
    return None


def _string(view: View, value: str) -> str | None:
    if len(value) < view.min_length:
        return "minLength"
    if view.max_length is not None and len(value) > view.max_length:
        return "maxLength"
    if any(not matches(pattern, value) for pattern in view.patterns):
        return "pattern"
    return None


def _array(view: View, value: list[Any]) -> str | None:
    if len(value) < view.min_items:
        return "minItems"
    if view.max_items is not None and len(value) > view.max_items:
        return "maxItems"
    if view.unique and not takes("uniqueItems", True, value, old=False):
        return "uniqueItems"
    if any(not any(accepts((part,), one) for one in value) for part in view.contains):
        return "contains"
    if view.arrays and any(not accepts(view.item(i), one) for i, one in enumerate(value)):
        return "items"
    return None


def _object(view: View, value: dict[str, Any]) -> str | None:
    if not view.required.keys() <= value.keys():
        return "required"
    if len(value) < view.min_properties:
        return "minProperties"
    if view.max_properties is not None and len(value) > view.max_properties:
        return "maxProperties"
    if view.names and any(not accepts(view.names, name) for name in value):
        return "propertyNames"
    for name, wanted in view.dependencies:
        if name in value and not _depends(wanted, value):
            return "dependencies"
    if view.objects and any(not accepts(view.child(name), one) for name, one in value.items()):
        return "properties"
    return None


def _depends(wanted: list[str] | Part, value: dict[str, Any]) -> bool:
    if isinstance(wanted, Part):
        return accepts((wanted,), value)
    return all(name in value for name in wanted)


def _chosen(choice: Choice, value: Any) -> bool:
    taken = sum(accepts((part,), value) for part in choice.branches)
    match choice.keyword:
        case "anyOf":
            return taken > 0
        case "oneOf":
            return taken == 1
        case _:
            return taken == 0

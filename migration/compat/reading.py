"""Reads schemas that judge the same value into one view, with `$ref` and `allOf` resolved."""

from collections.abc import Iterable, Sequence
from typing import Any

from migration.compat import kinds
from migration.compat.leaves import pattern_of_format, takes
from migration.compat.views import ArrayRule, Choice, ObjectRule, Part, View


def view_of(parts: Iterable[Part]) -> View:
    """Return what schemas say together."""
    view = View(tuple(parts))
    waiting = list(reversed(view.parts))
    while waiting:
        part = waiting.pop()
        schema = part.schema
        if schema is False:
            view.kinds = frozenset()
        if not isinstance(schema, dict):
            continue
        if isinstance(schema.get("$ref"), str):
            target = part.bundle.referred(schema)
            if target is None:
                view.leaves.append((part.old, "$ref", schema["$ref"]))
            else:
                waiting.append(part.inner(target))
            continue
        waiting += [part.inner(one) for one in reversed(schema.get("allOf", ()))]
        _add_scalars(view, part, schema)
        _add_array(view, part, schema)
        _add_object(view, part, schema)
        _add_choices(view, part, schema)
    if any(isinstance(number, int) for _, number in view.multiples):
        view.kinds -= {"fraction"}
    for rule in view.objects:
        for name, inner in rule.properties.items():
            _add_default(view, name, inner)
    return view


def _add_scalars(view: View, part: Part, schema: dict[str, Any]) -> None:
    if "type" in schema:
        view.kinds &= kinds.kinds_of_type(schema["type"])
    for keyword in ("enum", "const"):
        if keyword in schema:
            _add_options(view, part, keyword, schema[keyword])
    for keyword, is_open in (("minimum", False), ("exclusiveMinimum", True)):
        if keyword in schema:
            view.low = max(view.low or (schema[keyword], False), (schema[keyword], is_open))
    for keyword, is_open in (("maximum", False), ("exclusiveMaximum", True)):
        if keyword in schema:
            bound = (schema[keyword], is_open)
            view.high = min(view.high or bound, bound, key=lambda one: (one[0], not one[1]))
    if "multipleOf" in schema:
        view.multiples.append((part.old, schema["multipleOf"]))
    view.min_length = max(view.min_length, int(schema.get("minLength", 0)))
    view.max_length = _least(view.max_length, schema.get("maxLength"))
    if "pattern" in schema:
        view.patterns.append((part.old, schema["pattern"]))
    if "format" in schema:
        view.formats.append(schema["format"])
        pattern = pattern_of_format(schema["format"])
        if pattern is not None and not part.old:
            view.patterns.append((False, pattern))
    for keyword in ("contentEncoding", "contentMediaType"):
        if keyword in schema:
            view.leaves.append((part.old, keyword, schema[keyword]))


def _add_options(view: View, part: Part, keyword: str, operand: Any) -> None:
    if view.options is None:
        listed = operand if keyword == "enum" else [operand]
        view.options = [same for one in listed for same in _spellings(one)]
    view.options = [one for one in view.options if takes(keyword, operand, one, old=part.old)]


def _spellings(value: Any) -> list[Any]:
    """Return the numbers that are equal to a value: 5 and 5.0."""
    match value:
        case bool():
            return [value]
        case int() if abs(value) < 10**300 and int(float(value)) == value:
            return [value, float(value)]
        case float() if value.is_integer():
            return [int(value), value]
        case _:
            return [value]


def _least(one: int | None, other: Any) -> int | None:
    if other is None:
        return one
    return int(other) if one is None else min(one, int(other))


def _add_array(view: View, part: Part, schema: dict[str, Any]) -> None:
    items = schema.get("items")
    if isinstance(items, list):
        rest = schema.get("additionalItems")
        view.arrays.append(ArrayRule([part.inner(one) for one in items], _optional(part, rest)))
        view.fills_items |= part.certain and any(
            isinstance(one, dict) and "default" in one for one in items
        )
    elif items is not None:
        view.arrays.append(ArrayRule([], part.inner(items)))
    view.min_items = max(view.min_items, int(schema.get("minItems", 0)))
    view.max_items = _least(view.max_items, schema.get("maxItems"))
    view.unique |= schema.get("uniqueItems") is True
    if "contains" in schema:
        view.contains.append(part.asked(schema["contains"]))


def _optional(part: Part, schema: Any) -> Part | None:
    return None if schema is None else part.inner(schema)


def _add_object(view: View, part: Part, schema: dict[str, Any]) -> None:
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    additional = schema.get("additionalProperties")
    if properties or patterns or additional is not None:
        view.objects.append(
            ObjectRule(
                {name: part.inner(one) for name, one in properties.items()},
                {(part.old, text): part.inner(one) for text, one in patterns.items()},
                _optional(part, additional),
            )
        )
    view.min_properties = max(view.min_properties, int(schema.get("minProperties", 0)))
    view.max_properties = _least(view.max_properties, schema.get("maxProperties"))
    view.required |= dict.fromkeys(schema.get("required", ()))
    if "propertyNames" in schema:
        view.names.append(part.asked(schema["propertyNames"]))
    for name, wanted in schema.get("dependencies", {}).items():
        listed = wanted if isinstance(wanted, list) else part.asked(wanted)
        view.dependencies.append((name, listed))


def _add_choices(view: View, part: Part, schema: dict[str, Any]) -> None:
    def add(keyword: str, name: str, branches: Sequence[Any]) -> None:
        asked = tuple(part.asked(one) for one in branches)
        view.choices.append(Choice(keyword, asked, (id(schema), name)))

    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            add(keyword, keyword, schema[keyword])
    if "not" in schema:
        add("not", "not", [schema["not"]])
    if "if" in schema:
        condition = schema["if"]
        if "then" in schema:
            add("anyOf", "then", [{"not": condition}, schema["then"]])
        if "else" in schema:
            add("anyOf", "else", [condition, schema["else"]])


def _add_default(view: View, name: str, part: Part) -> None:
    # The first one that is met is filled; a reference hides what stands beside it.
    if not part.certain or part.old or name in view.defaults:
        return
    if isinstance(part.schema, dict) and "default" in part.schema:
        view.defaults[name] = part.schema["default"]

"""Limits that draft 3 did not ask for: on what costs time to judge, and on numbers."""

from typing import Any

from app.schemas.repository import Document
from migration.conversion.notes import Note, note_of
from migration.conversion.options import Bounds

MAX_TEXT = 8_192
MAX_NAME = 255
MAX_ITEMS = 1_000

_SCALARS = frozenset(("boolean", "integer", "null", "number", "string"))
_NUMBERS = frozenset(("integer", "number"))


def put_limits(made: Document, pointer: str, *, negated: bool) -> list[Note]:
    """Put in the lengths without which the service takes no schema; return the notes."""
    rules = []
    types = _types(made)
    if "pattern" in made:
        rules.append("pattern_dialect")
        if "maxLength" not in made and (not types or "string" in types):
            made["maxLength"] = max(MAX_TEXT, made.get("minLength", 0))
            rules.append("pattern_length")
    if "patternProperties" in made:
        made["propertyNames"] = {"maxLength": MAX_NAME}
        rules += ["pattern_dialect", "name_length"]
    if made.get("uniqueItems") is True and "maxItems" not in made:
        items = made.get("items")
        inner = _types(items) if isinstance(items, dict) else set()
        if not inner or not inner <= _SCALARS:
            made["maxItems"] = max(MAX_ITEMS, made.get("minItems", 0))
            rules.append("unique_items")
    return [note_of(rule, pointer, negated=negated) for rule in dict.fromkeys(rules)]


def put_bounds(made: Document, bounds: Bounds, pointer: str) -> list[Note]:
    """Bound a number on the sides where it has no bound of its own; return the notes."""
    if not _types(made) & _NUMBERS:
        return []
    lowest = made.get("minimum", made.get("exclusiveMinimum"))
    highest = made.get("maximum", made.get("exclusiveMaximum"))
    rules = set()
    if lowest is None:
        if highest is None or highest > bounds.minimum:
            made["minimum"] = bounds.minimum
            rules.add("bounds")
        else:
            rules.add("unbounded")
    if highest is None:
        if lowest is None or lowest < bounds.maximum:
            made["maximum"] = bounds.maximum
            rules.add("bounds")
        else:
            rules.add("unbounded")
    if "bounds" in rules and "enum" in made and all(_within(one, bounds) for one in made["enum"]):
        rules.remove("bounds")
    return [note_of(rule, pointer) for rule in sorted(rules)]


def _within(value: Any, bounds: Bounds) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return not is_number or bounds.minimum <= value <= bounds.maximum


def _types(made: Document) -> set[str]:
    types = made.get("type", [])
    return {types} if isinstance(types, str) else set(types)

"""What a finding means, in words for producers and consumers of events."""

import json
from collections.abc import Sequence
from typing import Any

from migration.compat.comparison import Effect, Finding, Verdict
from migration.compat.differences import Difference
from migration.compat.kinds import STRICT_INTEGER

MAX_SHOWN = 120
ROOT = "the whole event"

VERDICTS: dict[Verdict, str] = {
    "compatible": "compatible",
    "breaks": "BREAKS",
    "undecided": "cannot decide",
}
_MEANINGS = {
    "additionalProperties": "what properties that are not listed may be",
    "contains": "what one item at least has to be",
    "dependencies": "what properties ask for",
    "enum": "the values that are taken",
    "exclusiveMaximum": "numbers have to be less",
    "exclusiveMinimum": "numbers have to be greater",
    "maxItems": "how many items there may be",
    "maxLength": "how long texts may be",
    "maximum": "the greatest number",
    "maxProperties": "how many properties there may be",
    "minItems": "how many items there have to be",
    "minLength": "how long texts have to be",
    "minimum": "the least number",
    "minProperties": "how many properties there have to be",
    "patternProperties": "what properties may be, by patterns of their names",
    "propertyNames": "what names properties may have",
    "uniqueItems": "whether items have to differ",
}


def changed(difference: Difference) -> str:
    """Say what changed."""
    old, new = difference.old, difference.new
    match difference.keyword:
        case "properties" if old is None:
            return f"the property is new: {_facts(new)}"
        case "properties":
            return "the property is no longer listed"
        case "required":
            return "the property is now required" if new else "the property is no longer required"
        case "enum" if isinstance(old, list) and isinstance(new, list):
            return _values_changed(old, new)
        case keyword if old is None and new is None:
            return f"the schemas differ in effect, by {keyword} or in what they refer to"
    meaning = _MEANINGS.get(difference.keyword)
    note = f" ({meaning})" if meaning else ""
    if difference.keyword == "type" and STRICT_INTEGER in (*(old or ()), *(new or ())):
        note = " (a strict integer is 5 and not 5.0)"
    if old is None:
        return f"{difference.keyword} is new: {_short(new)}{note}"
    if new is None:
        return f"{difference.keyword} is gone; it was {_short(old)}{note}"
    return f"{difference.keyword} changed from {_short(old)} to {_short(new)}{note}"


def for_producers(finding: Finding) -> str:
    """Say what whoever sends events has to know."""
    return "Producers: " + _meaning(
        finding.backward,
        "nothing to do; what they send stays valid.",
        "events that were valid are refused",
        "it is not known whether all that they send stays valid: ",
    )


def for_consumers(finding: Finding) -> str:
    """Say what whoever reads events has to know."""
    return "Consumers: " + _meaning(
        finding.forward,
        "nothing new comes.",
        "events come that were not valid before",
        "it is not known whether events come that were not valid before: ",
    )


def undeclared(effect: Effect) -> bool:
    """Say whether a break is one only for events with properties that no schema listed."""
    return effect.verdict == "breaks" and effect.declared == "compatible"


def _meaning(effect: Effect, nothing: str, break_: str, unknown: str) -> str:
    if effect.verdict == "compatible":
        return nothing
    if effect.example is None:
        return f"{unknown}there is no proof, and no generated event shows the contrary."
    why = f"at {effect.example.fault.pointer or ROOT}: {effect.example.fault.message}"
    only = ", but only with a property that was not listed" if undeclared(effect) else ""
    return f"{break_}{only}. The example is refused {why}."


def _values_changed(old: Sequence[Any], new: Sequence[Any]) -> str:
    gone = [value for value in old if value not in new]
    more = [value for value in new if value not in old]
    said = [f"no longer {_short(one)}" for one in gone] + [
        f"now also {_short(one)}" for one in more
    ]
    return f"the values that are taken: {', '.join(said)}" if said else "the values' order"


def _facts(facts: Any) -> str:
    """Return what is said of a new property; True: nothing."""
    if not isinstance(facts, dict):
        return "it may be anything"
    return _cut(", ".join(f"{keyword} {_text(value)}" for keyword, value in facts.items()))


def _short(value: Any) -> str:
    return _cut(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], dict | list):
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"

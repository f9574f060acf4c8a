"""What is said about each kind of violation. The messages are those that clients know from Ajv."""

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import orjson

from app.core.json import problem_of, text_of

MAX_SHOWN = 100
MAX_LISTED = 500
MAX_OPTIONS = 200

_INTEGER_TEXT = re.compile(r"-?[0-9]{1,18}")
_LIMITS = {
    "minimum": (">=", "be at least"),
    "maximum": ("<=", "be at most"),
    "exclusiveMinimum": (">", "be more than"),
    "exclusiveMaximum": ("<", "be less than"),
}
_COUNTS = {
    "minLength": ("NOT be shorter than", "characters", "at least"),
    "maxLength": ("NOT be longer than", "characters", "at most"),
    "minItems": ("NOT have fewer than", "items", "at least"),
    "maxItems": ("NOT have more than", "items", "at most"),
    "minProperties": ("NOT have fewer than", "properties", "at least"),
    "maxProperties": ("NOT have more than", "properties", "at most"),
}
_FORMAT_HINTS = {
    "date-time": "Send ISO 8601 with a zone, such as 2024-02-03T04:05:06.789Z.",
    "date": "Send a date such as 2024-02-03.",
    "time": "Send a time such as 04:05:06Z.",
    "uri": "Send a URI with its scheme, such as https://www.example.org/page.",
    "uri-reference": "Send a URI or a path, without blanks.",
}


class Told(NamedTuple):
    """A violation in words, and its facts under Ajv's names."""

    message: str
    expected: str
    hint: str
    params: dict[str, Any]


def told(keyword: str, facts: dict[str, Any], value: Any) -> Told:
    """Say what is wrong with a value; `facts` are the validator's about the keyword."""
    if keyword in _LIMITS:
        return _limit(keyword, facts["limit"])
    if keyword in _COUNTS:
        return _count(keyword, facts["limit"])
    match keyword:
        case "type":
            return _type(facts["types"], value)
        case "required":
            name = text_of(facts["property"], MAX_SHOWN)
            return Told(
                f"should have required property '{name}'",
                f"the property {name}",
                f"Set {name}; the schema requires it.",
                {"missingProperty": name},
            )
        case "enum":
            return _enum(facts["options"], value)
        case "const":
            wanted = facts["expected_value"]
            return Told(
                "should be equal to constant",
                shown(wanted),
                f"Send exactly {shown(wanted)}.",
                {"allowedValue": _storable(wanted)},
            )
        case "pattern":
            pattern = facts["pattern"]
            return Told(
                f'should match pattern "{pattern}"',
                f"a text that matches {pattern}"[:MAX_LISTED],
                "Send a text of the form that the pattern describes.",
                {"pattern": pattern},
            )
        case "multipleOf":
            step = shown(facts["multiple_of"])
            return Told(
                f"should be multiple of {step}",
                f"a multiple of {step}",
                f"Send a multiple of {step}.",
                {"multipleOf": _storable(facts["multiple_of"])},
            )
        case "additionalItems" | "unevaluatedItems":
            return Told(
                "should NOT have more items than the schema describes",
                "only the items that the schema describes",
                "Leave out the items at the end.",
                {},
            )
        case _ if keyword in _FIXED:
            return Told(*_FIXED[keyword], {})
        case _:
            return Told(
                f'should pass "{keyword}" keyword validation',
                f"a value that the schema's {keyword} allows",
                "See the schema.",
                {},
            )


_FIXED = {
    "uniqueItems": (
        "should NOT have duplicate items",
        "items that all differ",
        "Send each item once.",
    ),
    "anyOf": (
        "should match some schema in anyOf",
        "one of the alternatives of the schema",
        "Send a value that one of the alternatives allows.",
    ),
    "oneOf": (
        "should match exactly one schema in oneOf",
        "exactly one of the alternatives of the schema",
        "Send a value that exactly one of the alternatives allows.",
    ),
    "not": (
        "should NOT be valid",
        "anything but what the schema excludes",
        "Send another value; the schema excludes this one.",
    ),
    "contains": (
        "should contain a valid item",
        "an item that the schema asks for",
        "Add the item that the schema asks for.",
    ),
    "falseSchema": (
        "boolean schema is false",
        "nothing here",
        "Leave it out; the schema allows no value here.",
    ),
}


def told_of_format(name: str) -> Told:
    """Say that a text is not of a format."""
    return Told(
        f'should match format "{name}"',
        f"a text of the format {name}",
        _FORMAT_HINTS.get(name, f"Send it in the format {name}."),
        {"format": name},
    )


def told_of_unexpected(name: str, declared: list[str]) -> Told:
    """Say that a property is not in the schema; `declared` are those that are."""
    name = text_of(name, MAX_SHOWN)
    advice = _did_you_mean(name, declared)
    listed = ", ".join(declared[:20])
    return Told(
        "should NOT have additional properties",
        f"only {listed}"[:MAX_LISTED] if declared else "no further properties",
        f"{advice}Leave {name} out, or add it to the schema in a new version.",
        {"additionalProperty": name},
    )


def told_of_name(name: str, inner: Told) -> Told:
    """Say that a property has a name that the schema does not allow; `inner` says why."""
    name = text_of(name, MAX_SHOWN)
    return Told(
        f"property name '{name}' is invalid",
        f"property names: {inner.expected}"[:MAX_LISTED],
        f"Rename the property {name}: it {inner.message}."[:MAX_LISTED],
        {"propertyName": name},
    )


def shown(value: Any) -> str:
    """Return a value for people, in at most 100 characters."""
    if isinstance(value, dict):
        return f"an object with {len(value)} properties"
    if isinstance(value, list):
        return f"an array with {len(value)} items"
    if isinstance(value, str):
        # In quotes, and cut before it is written as JSON: it may be a megabyte.
        text = orjson.dumps(text_of(value, MAX_SHOWN - 2)).decode()
        return text if len(text) <= MAX_SHOWN else f'{text[: MAX_SHOWN - 2]}…"'
    return text_of(value, MAX_SHOWN)


def _limit(keyword: str, limit: Any) -> Told:
    comparison, words = _LIMITS[keyword]
    return Told(
        f"should be {comparison} {shown(limit)}",
        f"a number {comparison} {shown(limit)}",
        f"The number must {words} {shown(limit)}.",
        {"comparison": comparison, "limit": _storable(limit)},
    )


def _count(keyword: str, limit: Any) -> Told:
    wrong, unit, right = _COUNTS[keyword]
    return Told(
        f"should {wrong} {limit} {unit}",
        f"{right} {limit} {unit}",
        f"Send {right} {limit} {unit}.",
        {"limit": _storable(limit)},
    )


def _type(types: Any, value: Any) -> Told:
    kinds = types if isinstance(types, list) else [types]
    wanted = " or ".join(kinds)
    return Told(
        f"should be {','.join(kinds)}", wanted, _type_hint(kinds, value), {"type": ",".join(kinds)}
    )


def _type_hint(kinds: list[str], value: Any) -> str:
    wanted = " or ".join(kinds)
    match value:
        case str() if {"integer", "number"} & set(kinds):
            if _INTEGER_TEXT.fullmatch(value):
                return f"Send it without quotes: {int(value)}."
            return f"Send {_article(wanted)} {wanted}, without quotes."
        case str() if "boolean" in kinds and value.lower() in ("true", "false"):
            return f"Send it without quotes: {value.lower()}."
        case None:
            return "Leave it out rather than sending null, or send a value."
        case bool():
            pass
        case int() | float() if "string" in kinds:
            return f'Send it in quotes: "{shown(value)}".'
    return f"Send {_article(wanted)} {wanted}."


def _article(noun: str) -> str:
    return "an" if noun[0] in "aio" else "a"


def _enum(options: list[Any], value: Any) -> Told:
    names = [option for option in options[:MAX_OPTIONS] if isinstance(option, str)]
    advice = _did_you_mean(value, names) if isinstance(value, str) else ""
    return Told(
        "should be equal to one of the allowed values",
        f"one of {', '.join(map(shown, options[:20]))}"[:MAX_LISTED],
        advice.strip() or "Send one of the allowed values.",
        {"allowedValues": [_storable(option) for option in options[:MAX_OPTIONS]]},
    )


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = _closest(name[:MAX_SHOWN], tuple(islice(names, MAX_OPTIONS)))
    return f"Did you mean {close}? " if close else ""


@lru_cache(maxsize=1_024)  # a client makes the same mistake again and again
def _closest(name: str, names: tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(name, names, 1)), None)


def _storable(value: Any) -> Any:
    """Return a value of a schema as a reply can hold it: a number may be too large for one."""
    return text_of(value, MAX_SHOWN) if problem_of(value) else value

"""Violations that a person can act on: where, what was expected, what was found, what to do.

`message`, `keyword` and `params` are in the words that clients of EventGate know from Ajv.
"""

import difflib
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

import jsonschema_rs as rs
import orjson

from app.core.errors import Violation
from app.core.json import escaped
from app.schemas.formats import FORMATS

MAX_VIOLATIONS = 50
MAX_SHOWN = 100
MAX_NAMES = 200

_INTEGER_TEXT = re.compile(r"-?[0-9]{1,18}")
_LIMITS = {
    "minimum": (">=", "be at least"),
    "maximum": ("<=", "be at most"),
    "exclusiveMinimum": (">", "be more than"),
    "exclusiveMaximum": ("<", "be less than"),
}
_COUNTS = {
    "minLength": ("shorter than", "characters", "at least"),
    "maxLength": ("longer than", "characters", "at most"),
    "minItems": ("fewer than", "items", "at least"),
    "maxItems": ("more than", "items", "at most"),
    "minProperties": ("fewer than", "properties", "at least"),
    "maxProperties": ("more than", "properties", "at most"),
}


def violations_of(
    validator: rs.Validator, body: dict[str, Any], declared: "Declared"
) -> list[Violation]:
    """Return where an invalid event breaks its schema, in the order of the event's pointers.

    At most 50. `declared` names the properties that an object may have, for suggestions.
    """
    errors = islice(validator.iter_errors(body), MAX_VIOLATIONS)
    found = [v for error in errors for v in _explained(error, declared)]
    return sorted(found, key=lambda violation: violation.pointer)[:MAX_VIOLATIONS]


class Declared:
    """Looks up which property names a schema has beside the keyword that an error points to."""

    def __init__(self, bundle: dict[str, Any]) -> None:
        self._bundle = bundle

    def beside(self, schema_path: Sequence[str | int]) -> list[str]:
        node: Any = self._bundle
        for token in schema_path[:-1]:
            try:
                node = node[token]
            except (LookupError, TypeError):
                return []
        properties = node.get("properties") if isinstance(node, dict) else None
        return list(properties)[:MAX_NAMES] if isinstance(properties, dict) else []


def _explained(error: rs.ValidationError, declared: Declared) -> list[Violation]:
    keyword = error.kind.name
    facts = error.kind.as_dict()
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        names = declared.beside(error.schema_path)
        return [_unexpected(error, name, names) for name in facts["unexpected"][:10]]
    message, expected, hint, params = _told(keyword, facts, error.instance)
    if keyword == "pattern" and facts["pattern"] in FORMATS:
        name = FORMATS[facts["pattern"]]
        keyword = "format"
        message = f'should match format "{name}"'
        expected = f"a text of the format {name}"
        hint = _FORMAT_HINTS.get(name, f"Send it in the format {name}.")
        params = {"format": name}
    if keyword == "required":
        got = "nothing"
    elif keyword in ("falseSchema", "false schema"):
        got = "a value"
    else:
        got = shown(error.instance)
    return [_violation(error, keyword, message, expected, got, hint, params)]


def _unexpected(error: rs.ValidationError, name: str, names: list[str]) -> Violation:
    close = difflib.get_close_matches(name[:MAX_SHOWN], names, 1)
    advice = f"Did you mean {close[0]}? " if close else ""
    return _violation(
        error,
        error.kind.name,
        "should NOT have additional properties",
        f"only {', '.join(names[:20])}" if names else "no further properties",
        f"the property {name[:MAX_SHOWN]}",
        f"{advice}Leave {name[:MAX_SHOWN]} out, or add it to the schema in a new version.",
        {"additionalProperty": name[:MAX_SHOWN]},
    )


def _violation(
    error: rs.ValidationError,
    keyword: str,
    message: str,
    expected: str,
    got: str,
    hint: str,
    params: dict[str, Any],
) -> Violation:
    schema_path = [*error.schema_path]
    if keyword == "format" and schema_path and schema_path[-1] == "pattern":
        if len(schema_path) >= 3 and schema_path[-3] == "allOf":  # noqa: PLR2004 (allOf, i, pattern)
            schema_path = schema_path[:-3] + ["pattern"]
        schema_path[-1] = "format"
    return Violation(
        pointer="".join(f"/{escaped(token)}" for token in error.instance_path),
        keyword=keyword,
        message=message,
        expected=expected,
        got=got,
        hint=hint,
        schema_pointer="#" + "".join(f"/{escaped(token)}" for token in schema_path),
        params=params,
    )


def _told(
    keyword: str, facts: dict[str, Any], instance: Any
) -> tuple[str, str, str, dict[str, Any]]:
    """Return message, expected, hint and params of one kind of violation."""
    if keyword in _LIMITS:
        comparison, words = _LIMITS[keyword]
        limit = facts["limit"]
        return (
            f"should be {comparison} {limit}",
            f"a number {comparison} {limit}",
            f"The number must {words} {limit}.",
            {"comparison": comparison, "limit": limit},
        )
    if keyword in _COUNTS:
        wrong, unit, right = _COUNTS[keyword]
        limit = facts["limit"]
        return (
            f"should NOT have {wrong} {limit} {unit}"
            if unit != "characters"
            else f"should NOT be {wrong} {limit} characters",
            f"{right} {limit} {unit}",
            f"Send {right} {limit} {unit}.",
            {"limit": limit},
        )
    match keyword:
        case "type":
            types = facts["types"]
            kinds = types if isinstance(types, list) else [types]
            return (
                f"should be {','.join(kinds)}",
                " or ".join(kinds),
                _type_hint(kinds, instance),
                {"type": ",".join(kinds)},
            )
        case "required":
            name = facts["property"]
            return (
                f"should have required property '{name}'",
                f"the property {name}",
                f"Set {name}; the schema requires it.",
                {"missingProperty": name},
            )
        case "enum":
            options = facts["options"]
            listed = ", ".join(shown(option) for option in options[:20])
            close = (
                difflib.get_close_matches(
                    instance[:MAX_SHOWN], [o for o in options[:MAX_NAMES] if isinstance(o, str)], 1
                )
                if isinstance(instance, str)
                else []
            )
            advice = f"Did you mean {close[0]}?" if close else "Send one of the allowed values."
            return (
                "should be equal to one of the allowed values",
                f"one of {listed}"[:500],
                advice,
                {"allowedValues": options[:MAX_NAMES]},
            )
        case "const":
            value = facts["expected_value"]
            return (
                "should be equal to constant",
                shown(value),
                f"Send exactly {shown(value)}.",
                {"allowedValue": value},
            )
        case "pattern":
            pattern = facts["pattern"]
            return (
                f'should match pattern "{pattern}"',
                f"a text that matches {pattern}",
                "Send a text of the form that the pattern describes.",
                {"pattern": pattern},
            )
        case "multipleOf":
            step = facts["multiple_of"]
            return (
                f"should be multiple of {step}",
                f"a multiple of {step}",
                f"Send a multiple of {step}.",
                {"multipleOf": step},
            )
        case "uniqueItems":
            return (
                "should NOT have duplicate items",
                "items that all differ",
                "Send each item once.",
                {},
            )
        case "anyOf" | "oneOf":
            closest = _closest(facts.get("context") or [])
            message = (
                "should match some schema in anyOf"
                if keyword == "anyOf"
                else "should match exactly one schema in oneOf"
            )
            return (
                message,
                "one of the alternatives of the schema",
                f"The alternative that comes closest says: {closest}"
                if closest
                else "Send a value that exactly one of the alternatives allows.",
                {},
            )
        case "propertyNames":
            return (
                "should have only property names that the schema allows",
                "property names that the schema allows",
                "Rename the property; the schema limits names.",
                {},
            )
        case _:
            return (
                f'should pass "{keyword}" keyword validation',
                f"a value that the schema's {keyword} allows",
                "See the schema.",
                {},
            )


def _closest(branches: Sequence[Sequence[rs.ValidationError]]) -> str:
    """Say what is wrong with the alternative that got furthest into the value."""
    branches = [branch for branch in branches if branch]
    if not branches:
        return ""
    best = max(branches, key=lambda branch: (len(branch[0].instance_path), -len(branch)))
    told = _told(best[0].kind.name, best[0].kind.as_dict(), best[0].instance)
    where = "".join(f"/{escaped(token)}" for token in best[0].instance_path)
    return f"'{where or '/'}' {told[0]}."[:300]


def _type_hint(kinds: list[str], instance: Any) -> str:
    wanted = " or ".join(kinds)
    if isinstance(instance, str) and {"integer", "number"} & set(kinds):
        if _INTEGER_TEXT.fullmatch(instance):
            return f"Send it without quotes: {instance}."
        return f"Send a {wanted}, without quotes."
    if isinstance(instance, int | float) and not isinstance(instance, bool) and "string" in kinds:
        return f'Send it in quotes: "{shown(instance)}".'
    if isinstance(instance, str) and "boolean" in kinds and instance.lower() in ("true", "false"):
        return f"Send it without quotes: {instance.lower()}."
    if instance is None:
        return "Leave it out rather than sending null, or send a value."
    article = "an" if wanted[0] in "aio" else "a"
    return f"Send {article} {wanted}."


def shown(value: Any) -> str:
    """Return a value for people, cut short."""
    if isinstance(value, dict | list):
        count = len(value)
        kind = "an object" if isinstance(value, dict) else "an array"
        unit = "properties" if isinstance(value, dict) else "items"
        return f"{kind} with {count} {unit}"
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        value = value[: MAX_SHOWN - 1] + "…"
    try:
        return orjson.dumps(value).decode()[: MAX_SHOWN * 2]
    except TypeError:
        return repr(value)[:MAX_SHOWN]


_FORMAT_HINTS = {
    "date-time": "Send ISO 8601 with a zone, such as 2024-02-03T04:05:06.789Z.",
    "date": "Send a date such as 2024-02-03.",
    "time": "Send a time such as 04:05:06Z.",
    "uri": "Send a URI with its scheme, such as https://www.example.org/page.",
    "uri-reference": "Send a URI or a path, without blanks.",
}

"""Violations that a person can act on: where, what was expected, what was found, what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import jsonschema_rs as rs

from app.core.errors import Violation
from app.schemas.bundle import Bundle
from app.schemas.effort import Effort
from app.schemas.formats import FORMATS
from app.schemas.keywords import Path, at, pointer_of
from app.schemas.repository import Document
from app.schemas.wording import Told, shown, told, told_of_format, told_of_name, told_of_unexpected

MAX_VIOLATIONS = 50
MAX_UNEXPECTED = 10
MAX_JUDGED = 5_000

# Whoever lists the faults of one of these lists those of all its alternatives.
_ALTERNATIVES = frozenset(("anyOf", "oneOf"))


class Explainer:
    """Says where events break a schema."""

    def __init__(self, validator: rs.Validator, bundle: Bundle) -> None:
        self._validator = validator
        self._bundle = bundle
        self._effort = Effort(bundle)
        self._first_is_cheap = not any(
            part.keys() & _ALTERNATIVES or "$ref" in part for part in bundle.parts
        )

    def violations_of(self, body: dict[str, Any]) -> list[Violation]:
        """Return where an invalid event breaks its schema, in the order of the event.

        At most 50. Listing costs the validator time and memory for each fault, without bound: of
        an event for which that may be more than 5,000 (see `Effort`) only the first is named, or
        none.
        """
        if self._effort.within(body, MAX_JUDGED):
            errors = list(islice(self._validator.iter_errors(body), MAX_VIOLATIONS))
        elif self._first_is_cheap:
            errors = list(self._first(body))
        else:
            errors = []
        found = []
        for error in errors:
            path = _path_in(body, error)
            found += [(path, one) for one in self._explained(error, path, body)]
        found.sort(key=lambda pair: _position(body, pair[0]))
        return [one for _, one in found[:MAX_VIOLATIONS]] or [_UNSAID]

    def _first(self, body: dict[str, Any]) -> Iterator[rs.ValidationError]:
        try:
            self._validator.validate(body)
        except rs.ValidationError as error:
            yield error

    def _explained(
        self, error: rs.ValidationError, path: Path, body: dict[str, Any]
    ) -> list[Violation]:
        keyword = error.kind.name
        value = at(body, path)
        where = pointer_of(path)
        if keyword in ("additionalProperties", "unevaluatedProperties"):
            declared = self._beside(error.schema_path)
            unexpected = error.kind.as_dict()["unexpected"][:MAX_UNEXPECTED]
            return [
                _violation(
                    error,
                    where,
                    (keyword, f"the property {shown(name)}"),
                    told_of_unexpected(name, declared),
                )
                for name in unexpected
            ]
        if keyword == "required":
            # Also the fault of a property that another one calls for: dependencies.
            keyword = str(error.schema_path[-1])
            return [_violation(error, where, (keyword, "nothing"), _told(error, value))]
        if keyword == "pattern" and error.kind.as_dict()["pattern"] in FORMATS:
            # The pattern stands beside its format, or in an `allOf` that was added beside it.
            beside = "format" in self._holder(error.schema_path)
            said = _violation(error, where, ("format", shown(value)), _told(error, value))
            holder = error.schema_path[:-1] if beside else error.schema_path[:-3]
            return [replace(said, schema_pointer=f"#{pointer_of((*holder, 'format'))}")]
        return [_violation(error, where, (keyword, shown(value)), _told(error, value))]

    def _beside(self, schema_path: Sequence[str | int]) -> list[str]:
        """Return the names of the properties declared beside a keyword."""
        properties = self._holder(schema_path).get("properties")
        return list(properties) if isinstance(properties, dict) else []

    def _holder(self, schema_path: Sequence[str | int]) -> Document:
        """Return the schema that holds a keyword."""
        try:
            node = at(self._bundle.schema, tuple(schema_path[:-1]))
        except (LookupError, TypeError):  # below a meta-schema, which is not in the bundle
            return {}
        return node if isinstance(node, dict) else {}


def _told(error: rs.ValidationError, value: Any) -> Told:
    keyword = error.kind.name
    facts = error.kind.as_dict()
    if keyword == "pattern" and facts["pattern"] in FORMATS:
        return told_of_format(FORMATS[facts["pattern"]])
    if keyword == "propertyNames":
        inner = facts["error"]
        return told_of_name(inner.instance, _told(inner, inner.instance))
    said = told(keyword, facts, value)
    if keyword in _ALTERNATIVES:
        closest = _closest(facts.get("context", ()))
        if closest:
            return said._replace(hint=f"The alternative that comes closest says: {closest}")
    return said


def _closest(branches: Sequence[Sequence[rs.ValidationError]]) -> str:
    """Say what is wrong with the alternative that got furthest into the value."""
    branches = [branch for branch in branches if branch]
    if not branches:
        return ""
    best = max(branches, key=lambda branch: (len(branch[0].instance_path), -len(branch)))
    where = pointer_of(tuple(best[0].instance_path)) or "/"
    return f"'{where}' {_told(best[0], best[0].instance).message}."[:300]


def _violation(
    error: rs.ValidationError, pointer: str, what: tuple[str, str], said: Told
) -> Violation:
    keyword, got = what
    return Violation(
        pointer=pointer,
        keyword=keyword,
        message=said.message,
        expected=said.expected,
        got=got,
        hint=said.hint,
        schema_pointer=f"#{pointer_of(tuple(error.schema_path))}",
        params=said.params,
    )


def _path_in(body: Any, error: rs.ValidationError) -> Path:
    """Return the path of a fault as the event spells it.

    jsonschema-rs tells a property whose name is a number (`"007"`) as that number, and leaves out
    one whose name is empty.
    """
    paths = _paths(body, tuple(error.instance_path))
    if len(paths) > 1:
        value = error.instance
        paths.sort(key=lambda path: at(body, path) != value)
    return paths[0] if paths else ()


def _paths(value: Any, told: Path) -> list[Path]:
    """Return all paths in a value that may be meant."""
    found: list[Path] = [] if told else [()]
    if told:
        for step in _steps(value, told[0]):
            found += [(step, *path) for path in _paths(value[step], told[1:])]
    if isinstance(value, dict) and "" in value:
        found += [("", *path) for path in _paths(value[""], told)]
    return found


def _steps(value: Any, token: str | int) -> list[str | int]:
    if isinstance(value, list):
        return [token] if isinstance(token, int) and token < len(value) else []
    if not isinstance(value, dict):
        return []
    if isinstance(token, str):
        return [token] if token in value else []
    plain = str(token)
    return [name for name in value if _without_zeros(name) == plain]


def _without_zeros(name: str) -> str:
    digits = name.removeprefix("+")
    return (digits.lstrip("0") or "0") if digits.isdecimal() else name


def _position(body: Any, path: Sequence[str | int]) -> tuple[int, ...]:
    """Return where in the text of an event a value stands, for sorting."""
    position: tuple[int, ...] = ()
    for token in path:
        index = token if isinstance(token, int) else list(body).index(token)
        position = (*position, index)
        body = body[token]
    return position


_UNSAID = Violation(
    pointer="",
    keyword="schema",
    message="should follow its schema",
    expected="an event that follows its schema",
    got="an event with too many values for each fault to be found",
    hint="Send a smaller event of the same kind to be told what is wrong.",
    schema_pointer="#",
)

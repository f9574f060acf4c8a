"""Events near an old schema: mostly valid, often at its edges, now and then beside them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from app.schemas.repository import Document

SAFE = 2**53 - 1
MAX_ITEMS = 3
LONG = 1_000
MAX_DEPTH = 5
UNKNOWN = "unknown_property"
ABSENT: Any = object()
"""Stands for an event that its capsule does not have."""

Values = SearchStrategy[Any]

_TEXTS = st.sampled_from(("", "a", "1", "true", "2024-02-03T04:05:06Z", "é", "\n")) | st.text(
    max_size=6
)
_WHOLE = st.sampled_from((0, 1, -1, SAFE, SAFE + 1, -SAFE, -SAFE - 1, 2**63 - 1))
_FRACTIONS = st.sampled_from((0.5, -1.5, 1e300)) | st.floats(
    allow_nan=False, allow_infinity=False, width=32
)
_WHOLE_FLOATS = st.sampled_from((5.0, 0.0, -1.0, float(2**53)))
EDGES: tuple[Any, ...] = (
    *(0, 1, -1, 0.5, 5.0, -1.0, SAFE + 1, -SAFE - 1, 2**63 - 1, 1e300),
    *("", "a", "1", "2024-02-03T04:05:06Z", "\n"),
    *(True, None, [], {}, [0], {"a": 0}),
)
_SCALARS = st.one_of(st.integers(-5, 5), _TEXTS, st.booleans(), st.none(), _WHOLE_FLOATS)


def events_of(schema: Document) -> Values:
    """Return events for an old schema: valid ones that were changed in up to two places."""
    whole = {"type": "object", **schema}
    odd = st.sampled_from((ABSENT, None, [], "text", 1, True))
    return st.one_of(_changed(whole), _changed(whole), _changed(whole), odd)


def full_event(schema: Document) -> Values:
    """Return events for an old schema that have every property."""
    return _fitting({"type": "object", **schema}, 0, full=True)


def changes(value: Any, schema: Any, depth: int = 0) -> Iterator[Any]:
    """Yield a value with each single change: in every place, every edge."""
    known = schema if isinstance(schema, dict) else {}
    yield from (edge for edge in EDGES if edge is not value)
    if depth >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield {**value, UNKNOWN: 0}
        properties = known.get("properties")
        for name, inner in value.items():
            yield {key: one for key, one in value.items() if key != name}
            below = properties.get(name) if isinstance(properties, dict) else None
            for changed in changes(inner, below, depth + 1):
                yield {**value, name: changed}
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            for changed in changes(inner, known.get("items"), depth + 1):
                yield [*value[:at], changed, *value[at + 1 :]]


@st.composite
def _changed(draw: DrawFn, schema: Document) -> Any:
    event = draw(_fitting(schema, 0))
    for _ in range(draw(st.integers(0, 2))):
        event = _with_change(draw, event, schema, 0)
    return event


def _with_change(draw: DrawFn, value: Any, schema: Any, depth: int) -> Any:
    """Return a value with one change somewhere: another value, one more property, one less."""
    known = schema if isinstance(schema, dict) else {}
    if isinstance(value, list) and value and depth < MAX_DEPTH:
        at = draw(st.integers(0, len(value) - 1))
        changed = _with_change(draw, value[at], known.get("items"), depth + 1)
        return [*value[:at], changed, *value[at + 1 :]]
    if not isinstance(value, dict) or depth >= MAX_DEPTH or not draw(st.integers(0, 7)):
        return draw(_edges(known))
    what = draw(st.sampled_from((*value, *value, UNKNOWN, *(f"-{name}" for name in value))))
    if what == UNKNOWN:
        return {**value, UNKNOWN: draw(_SCALARS)}
    if what not in value:
        return {name: one for name, one in value.items() if f"-{name}" != what}
    properties = known.get("properties")
    inner = properties.get(what) if isinstance(properties, dict) else None
    return {**value, what: _with_change(draw, value[what], inner, depth + 1)}


def _edges(schema: Document) -> Values:
    """Return values that the schema's types lie near to, and others."""
    types = schema.get("type", "any")
    numeric = {"integer", "number"} & set(types if isinstance(types, list) else [str(types)])
    return st.one_of(_WHOLE_FLOATS, _WHOLE, _SCALARS) if numeric else _SCALARS


def _value(schema: Any, depth: int, *, full: bool = False) -> Values:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return _SCALARS
    return _fitting(schema, depth, full=full)


def _fitting(schema: Document, depth: int, *, full: bool = False) -> Values:
    enum = schema.get("enum")
    if isinstance(enum, list) and enum:
        return st.sampled_from(enum)
    types = schema.get("type", "any")
    listed = types if isinstance(types, list) else [types]
    return st.one_of(
        [
            _value(one, depth + 1, full=full)
            if isinstance(one, dict)
            else _of_type(one, schema, depth, full=full)
            for one in listed
        ]
        or [_SCALARS]
    )


def _of_type(name: Any, schema: Document, depth: int, *, full: bool) -> Values:
    match name:
        case "string":
            return _texts(schema)
        case "integer":
            return _integers(schema)
        case "number":
            return _integers(schema) | _FRACTIONS
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            items = schema.get("items")
            inner = _value(items, depth + 1, full=full) if isinstance(items, dict) else _SCALARS
            return st.lists(inner, min_size=1 if full else 0, max_size=MAX_ITEMS)
        case "object":
            return _objects(schema, depth, full=full)
    return _SCALARS


def _integers(schema: Document) -> Values:
    edges = [
        edge + step
        for word in ("minimum", "maximum")
        if isinstance(edge := schema.get(word), int)
        for step in (0, -1, 1)
    ]
    small = st.integers(-3, 3)
    return st.sampled_from(edges) | small if edges else small


def _texts(schema: Document) -> Values:
    made = [_TEXTS]
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        # The old judge fails on a pattern that is none, whatever the text.
        with suppress(re.error):
            made = [st.from_regex(re.compile(pattern))]
    for word, step in (("minLength", -1), ("minLength", 0), ("maxLength", 0), ("maxLength", 1)):
        length = schema.get(word)
        if isinstance(length, int) and 0 <= length + step < LONG:
            made.append(st.just("a" * (length + step)))
    return st.one_of(made)


def _objects(schema: Document, depth: int, *, full: bool) -> Values:
    properties = schema.get("properties")
    declared = properties if isinstance(properties, dict) else {}
    required = {name for name, one in declared.items() if full or _is_required(one)}
    values = {name: _value(one, depth + 1, full=full) for name, one in declared.items()}
    return st.fixed_dictionaries(
        {name: values[name] for name in declared if name in required},
        optional={name: values[name] for name in declared if name not in required},
    )


def _is_required(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("required") is True

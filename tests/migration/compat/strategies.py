"""Hypothesis strategies: small schemas over few names, so that two of them have much in common."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c1")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-4, 6),
    st.sampled_from([0.5, 1.0, 2.0, -1.5, 4.0]),
    st.sampled_from(["", "x", "xy", "xyz", "2026-01-31", "a1", "1"]),
)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def values() -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from((*NAMES, "d", "")), inner, max_size=3),
        ),
        max_leaves=6,
    )


def events() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from((*NAMES, "d", "")), values(), max_size=4)


def _some(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def _scalar_schemas() -> st.SearchStrategy[dict[str, Any]]:
    small = st.integers(0, 3)
    return st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(TYPES)}),
        st.fixed_dictionaries({"type": st.lists(st.sampled_from(TYPES), min_size=1, unique=True)}),
        st.fixed_dictionaries({"enum": st.lists(SCALARS, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"const": SCALARS}),
        _some(
            type=st.sampled_from(("integer", "number")),
            minimum=st.integers(-2, 3),
            maximum=st.integers(-2, 5),
            exclusiveMinimum=st.sampled_from([0, 0.5, 1]),
            exclusiveMaximum=st.sampled_from([2, 2.5, 4]),
            multipleOf=st.sampled_from([1, 2, 4, 0.5]),
        ),
        _some(
            type=st.just("string"),
            minLength=small,
            maxLength=small,
            pattern=st.sampled_from(["^x", "y$", "[0-9]", "^x*$"]),
            format=st.sampled_from(["date", "uri-template"]),
        ),
    )


def _wider(inner: st.SearchStrategy[Any], *, defaults: bool) -> st.SearchStrategy[Any]:
    any_inner = st.one_of(inner, st.booleans())
    named = any_inner
    if defaults:
        filled = st.builds(lambda one, value: {**one, "default": value}, inner, SCALARS)
        named = st.one_of(any_inner, filled)
    some = st.lists(any_inner, min_size=1, max_size=3)
    names = st.sampled_from(NAMES)
    return st.one_of(
        _some(
            type=st.just("object"),
            properties=st.dictionaries(names, named, max_size=3),
            required=st.lists(names, unique=True, max_size=2),
            additionalProperties=any_inner,
            patternProperties=st.dictionaries(st.sampled_from(["^a", "1$", "^c"]), any_inner),
            propertyNames=st.sampled_from([{"maxLength": 1}, {"enum": ["a", "b"]}, {}]),
            minProperties=st.integers(0, 2),
            maxProperties=st.integers(0, 3),
            dependencies=st.dictionaries(
                names, st.one_of(st.lists(names, unique=True, max_size=2), any_inner), max_size=1
            ),
        ),
        _some(
            type=st.just("array"),
            items=st.one_of(any_inner, st.lists(any_inner, min_size=1, max_size=2)),
            additionalItems=any_inner,
            minItems=st.integers(0, 2),
            maxItems=st.integers(0, 3),
            uniqueItems=st.booleans(),
            contains=any_inner,
        ),
        st.builds(
            lambda one, more: {**one, **more},
            inner,
            _some(anyOf=some, oneOf=some, allOf=some, **{"not": any_inner}),
        ),
        _some(**{"if": any_inner, "then": any_inner, "else": any_inner}),
        st.just({"$ref": "#/definitions/node"}),
    )


def schemas(*, defaults: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of draft-07; one in them may be recursive through arrays and objects."""
    inner = st.recursive(
        _scalar_schemas(), lambda deeper: _wider(deeper, defaults=defaults), max_leaves=5
    )
    nodes = st.builds(
        lambda leaf: {
            "anyOf": [
                leaf,
                {
                    "type": "object",
                    "properties": {"a": {"$ref": "#/definitions/node"}},
                    "additionalProperties": False,
                },
            ]
        },
        _scalar_schemas(),
    )
    return st.builds(
        lambda root, node: {**root, "definitions": {"node": node}},
        _wider(inner, defaults=defaults).filter(lambda one: "$ref" not in one),
        nodes,
    )


@st.composite
def pairs(draw: st.DrawFn, *, defaults: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two schemas: any two, or one and the same with another piece somewhere in it."""
    one = draw(schemas(defaults=defaults))
    if draw(st.booleans()):
        return one, draw(schemas(defaults=defaults))
    return one, _changed(draw, one, draw(st.integers(0, 4)))


def _changed(draw: st.DrawFn, schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or not schema or depth == 0:
        other: dict[str, Any] = draw(_scalar_schemas())
        return other if not isinstance(schema, dict) else {**schema, **other}
    key = draw(st.sampled_from(sorted(schema)))
    value = schema[key]
    if key in {"properties", "patternProperties", "definitions"} and value:
        name = draw(st.sampled_from(sorted(value)))
        return {**schema, key: {**value, name: _changed(draw, value[name], depth - 1)}}
    if key in {"items", "additionalProperties", "not", "if", "then", "else", "contains"}:
        return {**schema, key: _changed(draw, value, depth - 1)}
    if key in {"anyOf", "oneOf", "allOf"}:
        return {**schema, key: [_changed(draw, value[0], depth - 1), *value[1:]]}
    return {name: inner for name, inner in schema.items() if name != key}

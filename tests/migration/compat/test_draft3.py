import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft3Validator

from app.schemas.bundle import Bundle
from app.schemas.drafts import DEFAULT
from migration.compat.draft3 import Draft3Error, modernised
from migration.compat.judging import accepts
from migration.compat.kinds import STRICT_INTEGER
from migration.compat.views import Part
from tests.migration.compat.strategies import NAMES, SCALARS, values

TYPES = ("any", "null", "boolean", "integer", "number", "string", "array", "object")


def _some(**keywords):
    return st.fixed_dictionaries({}, optional=keywords)


def _old_schemas():
    small = st.integers(0, 3)
    leaves = _some(
        type=st.sampled_from(TYPES),
        enum=st.lists(SCALARS, min_size=1, max_size=3),
        minimum=st.integers(-2, 3),
        exclusiveMinimum=st.booleans(),
        maximum=st.integers(-2, 5),
        exclusiveMaximum=st.booleans(),
        divisibleBy=st.sampled_from([1, 2, 0.5]),
        minLength=small,
        maxLength=small,
        pattern=st.sampled_from(["^x", "y$", "[0-9]"]),
        format=st.just("date-time"),
        required=st.booleans(),
    )
    return st.recursive(leaves, _wider, max_leaves=5)


def _wider(inner):
    names = st.sampled_from(NAMES)
    unions = st.lists(st.one_of(st.sampled_from(TYPES), inner), min_size=1, max_size=2)
    return st.one_of(
        _some(
            type=st.one_of(st.just("object"), unions),
            properties=st.dictionaries(names, inner, max_size=3),
            additionalProperties=st.one_of(st.booleans(), inner),
            patternProperties=st.dictionaries(st.sampled_from(["^a", "1$"]), inner, max_size=1),
            dependencies=st.dictionaries(
                names, st.one_of(names, st.lists(names, max_size=2), inner), max_size=1
            ),
            extends=st.one_of(inner, st.lists(inner, max_size=2)),
            disallow=unions,
        ),
        _some(
            type=st.just("array"),
            items=st.one_of(inner, st.lists(inner, min_size=1, max_size=2)),
            additionalItems=st.one_of(st.booleans(), inner),
            minItems=st.integers(0, 2),
            maxItems=st.integers(0, 3),
            uniqueItems=st.booleans(),
        ),
    )


def part_of(schema, **how):
    made = modernised(schema, **how)
    return Part(made, Bundle(made, [], DEFAULT), old=True)


@settings(max_examples=200, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(_old_schemas(), st.lists(values(), min_size=10, max_size=20))
def test_in_the_words_of_draft_07_a_schema_takes_what_it_took(schema, sent):
    judge = Draft3Validator(schema)

    part = part_of(schema)

    for value in sent:
        assert accepts((part,), value) == judge.is_valid(value)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, {"type": [STRICT_INTEGER]}),
        ({"type": "any"}, {}),
        ({"type": [{"type": ["string", "null"]}, "array"]}, {"type": ["string", "null", "array"]}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"divisibleBy": 2}, {"multipleOf": 2}),
        (
            {"properties": {"a": {"required": True}, "b": {"required": False}}},
            {"properties": {"a": {}, "b": {}}, "required": ["a"]},
        ),
        ({"dependencies": {"a": "b"}}, {"dependencies": {"a": ["b"]}}),
        ({"format": "date-time"}, {}),  # the old system checked no format
        ({"items": {"required": True}}, {"items": {}}),  # it says nothing of items
    ],
)
def test_each_word_has_its_translation(schema, expected):
    assert modernised(schema) == expected


def test_the_top_is_closed_only_if_it_says_nothing_of_it_itself():
    assert modernised({}, closed=True) == {"additionalProperties": False}
    assert modernised({"additionalProperties": {}}, closed=True) == {"additionalProperties": {}}
    assert modernised({"properties": {"a": {}}}, closed=True)["properties"] == {"a": {}}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "a schema is an object"),
        ({"type": "text"}, "at #/type: 'text' is no type of draft 3"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "leads out of the schema"),
        ({"properties": {"a": {"$ref": "#/nothing"}}}, "#/nothing leads nowhere"),
        ({"items": {"extends": 1}}, "at #/items/extends: a schema is an object"),
    ],
)
def test_what_its_validator_could_not_have_used_is_refused(schema, said):
    with pytest.raises(Draft3Error, match=said):
        modernised(schema)

import jsonschema_rs as rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from migration.materializemerge import alike, merged
from migration.materializerefs import MaterializeError

scalars = st.sampled_from([None, True, False, 0, 1, 2.5, 7, "", "a", "bb", "ccc"])
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
small = st.integers(0, 3)
kinds = st.sampled_from(["string", "integer", "number", "object", "array", "boolean"])


def keywords(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
            "enum": st.lists(scalars, min_size=1, max_size=4, unique_by=repr),
            "const": scalars,
            "minimum": small,
            "maximum": small,
            "exclusiveMaximum": small,
            "minLength": small,
            "maxLength": small,
            "pattern": st.sampled_from(["a", "b", "^c"]),
            "minItems": small,
            "uniqueItems": st.booleans(),
            "required": st.lists(st.sampled_from("abc"), unique=True),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "items": inner | st.lists(inner, min_size=1, max_size=2),
            "additionalItems": inner,
            "propertyNames": inner,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=3),
        },
    )


schemas = st.recursive(keywords(st.just({"type": "string"})), keywords, max_leaves=6)


@settings(max_examples=300)
@given(schemas, st.lists(values, min_size=1, max_size=8))
def test_a_merged_schema_judges_as_the_one_it_comes_from(schema, some):
    before = rs.Draft7Validator(schema)
    try:
        whole = merged(schema)
    except MaterializeError:
        assume(False)
    after = rs.Draft7Validator(whole)

    assert [after.is_valid(value) for value in some] == [before.is_valid(value) for value in some]


@settings(max_examples=100)
@given(schemas)
def test_merging_again_changes_nothing(schema):
    try:
        once = merged(schema)
    except MaterializeError:
        assume(False)

    assert merged(once) == once


def test_closed_fragments_are_opened_for_each_other_and_the_whole_is_closed():
    schema = {
        "allOf": [
            {"additionalProperties": False, "properties": {"a": {}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]
    }

    assert merged(schema) == {
        "additionalProperties": False,
        "required": ["a", "b"],
        "properties": {"a": {}, "b": {"type": "string"}},
    }


def test_the_schemas_own_words_go_before_those_of_fragments():
    schema = {
        "title": "own",
        "$id": "/own/1.0.0",
        "allOf": [{"title": "other", "description": "theirs", "examples": [{}], "$id": "/o/1.0.0"}],
    }

    assert merged(schema) == {"title": "own", "description": "theirs", "$id": "/own/1.0.0"}


def test_what_cannot_be_merged_stays_as_it_is():
    schema = {"pattern": "a", "allOf": [{"pattern": "b"}, {"if": {}, "then": {"const": 1}}]}

    assert merged(schema) == {
        "pattern": "a",
        "if": {},
        "then": {"const": 1},
        "allOf": [{"pattern": "b"}],
    }


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "allOf": [{"type": "integer"}]}, "both string and integer"),
        ({"enum": ["a"], "allOf": [{"enum": ["b"]}]}, "none in common"),
        ({"enum": [1], "allOf": [{"enum": [True]}]}, "none in common"),
        (
            {"definitions": {"a": {"const": 1}}, "allOf": [{"definitions": {"a": {"const": 2}}}]},
            "/a means two things",
        ),
        (
            {
                "properties": {"p": {"type": "string"}},
                "allOf": [{"properties": {"p": {"type": []}}}],
            },
            "at #/properties/p/type",
        ),
        ({"required": 7, "allOf": [{"required": ["a"]}]}, "at #/required: .*malformed"),
        ({"properties": ["ab"], "allOf": [{"properties": {}}]}, "at #/properties: .*malformed"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(schema, said):
    with pytest.raises(MaterializeError, match=said):
        merged(schema)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1.0, True), (1, True, False), ([0], [False], False), ({"a": 1}, {"a": 1}, True)],
)
def test_true_is_not_one(one, other, same):
    assert alike(one, other) is same

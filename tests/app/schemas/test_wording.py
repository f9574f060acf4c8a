import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.wording import (
    MAX_SHOWN,
    shown,
    told,
    told_of_format,
    told_of_name,
    told_of_unexpected,
)


@pytest.mark.parametrize(
    ("keyword", "facts", "message", "params"),
    [
        ("type", {"types": ["number"]}, "should be number", {"type": "number"}),
        (
            "type",
            {"types": ["string", "null"]},
            "should be string,null",
            {"type": "string,null"},
        ),
        (
            "required",
            {"property": "x"},
            "should have required property 'x'",
            {"missingProperty": "x"},
        ),
        ("minimum", {"limit": 5}, "should be >= 5", {"comparison": ">=", "limit": 5}),
        ("maximum", {"limit": 0.5}, "should be <= 0.5", {"comparison": "<=", "limit": 0.5}),
        ("exclusiveMinimum", {"limit": 5}, "should be > 5", {"comparison": ">", "limit": 5}),
        ("exclusiveMaximum", {"limit": 5}, "should be < 5", {"comparison": "<", "limit": 5}),
        ("minLength", {"limit": 2}, "should NOT be shorter than 2 characters", {"limit": 2}),
        ("maxLength", {"limit": 2}, "should NOT be longer than 2 characters", {"limit": 2}),
        ("minItems", {"limit": 2}, "should NOT have fewer than 2 items", {"limit": 2}),
        ("maxItems", {"limit": 2}, "should NOT have more than 2 items", {"limit": 2}),
        ("minProperties", {"limit": 2}, "should NOT have fewer than 2 properties", {"limit": 2}),
        ("maxProperties", {"limit": 2}, "should NOT have more than 2 properties", {"limit": 2}),
        ("pattern", {"pattern": "^a$"}, 'should match pattern "^a$"', {"pattern": "^a$"}),
        ("multipleOf", {"multiple_of": 2}, "should be multiple of 2", {"multipleOf": 2}),
        (
            "enum",
            {"options": ["a", 1]},
            "should be equal to one of the allowed values",
            {"allowedValues": ["a", 1]},
        ),
        ("const", {"expected_value": 1}, "should be equal to constant", {"allowedValue": 1}),
        ("uniqueItems", {}, "should NOT have duplicate items", {}),
        ("anyOf", {}, "should match some schema in anyOf", {}),
        ("oneOf", {}, "should match exactly one schema in oneOf", {}),
        ("not", {}, "should NOT be valid", {}),
        ("contains", {}, "should contain a valid item", {}),
        ("falseSchema", {}, "boolean schema is false", {}),
        ("contentEncoding", {}, 'should pass "contentEncoding" keyword validation', {}),
    ],
)
def test_messages_and_params_are_those_that_clients_know(keyword, facts, message, params):
    said = told(keyword, facts, [])

    assert said.message == message
    assert said.params == params
    assert said.expected
    assert said.hint.endswith((".", "?"))


@pytest.mark.parametrize(
    ("types", "value", "hint"),
    [
        (["number"], "42", "Send it without quotes: 42."),
        (["integer"], "x", "Send an integer, without quotes."),
        (["boolean"], "True", "Send it without quotes: true."),
        (["string"], 42, 'Send it in quotes: "42".'),
        (["string"], None, "Leave it out rather than sending null, or send a value."),
        (["string"], True, "Send a string."),
        (["object"], "x", "Send an object."),
        (["array"], {}, "Send an array."),
        (["integer", "null"], [], "Send an integer or null."),
    ],
)
def test_a_wrong_type_comes_with_what_to_do(types, value, hint):
    assert told("type", {"types": types}, value).hint == hint


def test_a_slip_of_the_pen_is_recognised():
    said = told_of_unexpected("buton", ["meta", "button"])

    assert said.message == "should NOT have additional properties"
    assert said.hint.startswith("Did you mean button? ")
    assert said.expected == "only meta, button"
    assert said.params == {"additionalProperty": "buton"}
    assert told("enum", {"options": ["red", "green"]}, "gren").hint == "Did you mean green?"


def test_what_resembles_nothing_suggests_nothing():
    assert told_of_unexpected("zzz", ["meta"]).hint.startswith("Leave zzz out")
    assert told_of_unexpected("zzz", []).expected == "no further properties"
    assert told("enum", {"options": ["red"]}, "zzz").hint == "Send one of the allowed values."
    assert told("enum", {"options": [1]}, 2).hint == "Send one of the allowed values."


def test_a_format_is_told_by_its_name_and_an_example():
    said = told_of_format("date-time")

    assert said.message == 'should match format "date-time"'
    assert said.params == {"format": "date-time"}
    assert "2024-02-03T04:05:06.789Z" in said.hint
    assert told_of_format("uuid").hint == "Send it in the format uuid."


def test_a_name_that_is_not_allowed_is_told_with_the_reason():
    said = told_of_name("long", told("maxLength", {"limit": 2}, "long"))

    assert said.message == "property name 'long' is invalid"
    assert said.params == {"propertyName": "long"}
    assert "should NOT be longer than 2 characters" in said.hint


@pytest.mark.parametrize(
    ("keyword", "facts"),
    [
        ("maximum", {"limit": 10**30}),
        ("const", {"expected_value": 10**30}),
        ("enum", {"options": [10**30, {"a": 10**30}]}),
        ("multipleOf", {"multiple_of": 10**30}),
    ],
)
def test_numbers_beyond_64_bits_in_a_schema_can_be_told(keyword, facts):
    assert orjson.dumps(told(keyword, facts, 1)._asdict())


def test_a_huge_enum_is_told_in_few_words():
    said = told("enum", {"options": [f"option {i}" * 100 for i in range(10_000)]}, "x" * 1_000_000)

    assert len(said.expected) <= 500
    assert len(said.params["allowedValues"]) == 200


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_any_value_is_shown_in_at_most_100_characters(value):
    text = shown(value)

    assert len(text) <= MAX_SHOWN
    assert orjson.dumps(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (1, "1"),
        (None, "null"),
        (True, "true"),
        ({"secret": 1}, "an object with 1 properties"),
        ([1, 2], "an array with 2 items"),
    ],
)
def test_values_are_shown_as_json_but_containers_by_their_size(value, text):
    assert shown(value) == text


def test_a_long_text_is_cut_within_its_quotes():
    text = shown("é\n" * 1_000_000)

    assert len(text) <= 100
    assert text.startswith('"é\\n')
    assert text.endswith('…"')
    assert json.loads(shown("x" * 98)) == "x" * 98

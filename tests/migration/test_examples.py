from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings

from migration.compat.places import EachItem, EachName
from migration.compat.sides import UnusableSchema
from migration.examples import Examples
from tests.migration.compat.sides import side
from tests.migration.compat.strategies import schemas

EVENT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        "inner": {"type": "object", "required": ["x"], "properties": {"x": {"enum": [7]}}},
    },
    "required": ["name"],
}


@settings(max_examples=80, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(schemas())
def test_whatever_is_generated_is_valid(schema):
    try:
        judge = side(schema)
    except UnusableSchema:
        return

    made = islice(Examples().values((judge.part,)), 40)

    assert all(judge.takes(event) for event in made if isinstance(event, dict))


@pytest.mark.parametrize(
    "schema",
    [
        EVENT,
        {"type": "object", "required": ["a"], "properties": {"a": {"pattern": "^[A-Z]{3}$"}}},
        {"type": "object", "required": ["a"], "properties": {"a": {"multipleOf": 7, "minimum": 8}}},
        {"type": "object", "minProperties": 3},
        {"type": "object", "required": ["a"], "properties": {"a": {"not": {"type": "object"}}}},
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"oneOf": [{"type": "integer"}, {"minimum": 3}]}},
        },
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "array", "contains": {"const": 4}, "maxItems": 1}},
        },
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "array", "uniqueItems": True, "minItems": 3}},
        },
        {
            "type": "object",
            "required": ["d"],
            "properties": {"d": {"type": "string", "format": "date-time"}},
        },
        {"type": "object", "patternProperties": {"^x": {"type": "null"}}, "minProperties": 1},
        {"type": "object", "dependencies": {"a": ["b"]}, "required": ["a"]},
    ],
)
def test_an_event_is_found_for_each_kind_of_rule(schema):
    judge = side(schema)

    event = next(Examples().values((judge.part,)))

    assert judge.takes(event)


def test_nothing_is_generated_for_what_takes_nothing():
    judge = side({"type": "object", "required": ["a"], "properties": {"a": False}})

    assert list(Examples().values((judge.part,))) == []


def test_the_same_schema_gives_the_same_examples_each_once():
    made = [list(islice(Examples().values((side(EVENT).part,)), 60)) for _ in range(2)]

    assert made[0] == made[1]
    texts = [repr(one) for one in made[0]]
    assert len(texts) == len(set(texts)) > 30


def test_optional_properties_are_there_in_some_and_not_in_others():
    made = list(islice(Examples().values((side(EVENT).part,)), 60))

    for name in ("items", "inner"):
        assert {name in one for one in made} == {True, False}


@pytest.mark.parametrize(
    ("place", "at"),
    [
        (("name",), lambda event: event["name"]),
        (("inner", "x"), lambda event: event["inner"]["x"]),
        (("items", EachItem(0)), lambda event: event["items"][0]),
        (("items", 1), lambda event: event["items"][1]),
        ((EachName(),), lambda event: event["another"]),
    ],
)
def test_a_chosen_value_stands_at_its_place_in_an_event_around_it(place, at):
    part = side(EVENT).part

    found = list(Examples().around(place, lambda _taken, _kept: ["chosen"], (part,), (part,)))

    assert found
    assert at(found[0]) == "chosen"


def test_recursive_schemas_come_to_an_end():
    node = {"type": "object", "properties": {"inner": {"$ref": "#/definitions/node"}}}
    judge = side({"definitions": {"node": node}, **node})

    made = list(islice(Examples().values((judge.part,)), 20))

    assert {"inner": {}} in made

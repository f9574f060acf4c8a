import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.compat.comparison import compare
from migration.compat.judging import lists_all
from migration.compat.sides import UnusableSchema
from tests.migration.compat.sides import check_examples, compared, side, verdicts
from tests.migration.compat.strategies import events, pairs

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
OK, NO = "compatible", "breaks"


def a(schema, **more):
    """An object whose property `a` follows a schema."""
    return {"type": "object", "properties": {"a": schema}, **more}


def one(schema):
    return a(schema, additionalProperties=False)


CHANGES = [
    # What `a` may be, before and after; do events stay valid; were they before.
    ({"type": "integer"}, {"type": "integer"}, OK, OK),
    ({"type": "integer"}, {"type": "number"}, OK, NO),
    ({"type": "string"}, {"type": ["string", "null"]}, OK, NO),
    ({"type": "string"}, {"type": "integer"}, NO, NO),
    ({}, {"type": "string"}, NO, OK),
    ({"enum": ["x", "y"]}, {"enum": ["x", "y", "z"]}, OK, NO),
    ({"enum": ["x", 1]}, {"enum": ["x"]}, NO, OK),
    ({"enum": ["x", "y"]}, {"type": "string"}, OK, NO),
    ({"enum": ["x", 3]}, {"type": "string"}, NO, NO),
    ({"enum": [1, 2]}, {"type": "integer", "minimum": 1, "maximum": 2}, OK, OK),
    ({"const": "x"}, {"enum": ["x"]}, OK, OK),
    ({"const": "x"}, {"const": "y"}, NO, NO),
    ({"type": "boolean"}, {"enum": [True, False]}, OK, OK),
    ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}, NO, OK),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}, OK, OK),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 2}, NO, OK),
    ({"type": "integer", "exclusiveMinimum": 0.5}, {"type": "integer", "minimum": 1}, OK, OK),
    ({"type": "integer", "exclusiveMaximum": 5.5}, {"type": "integer", "maximum": 4}, NO, OK),
    ({"type": "integer", "exclusiveMaximum": 5.5}, {"type": "integer", "maximum": 5}, OK, OK),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}, OK, NO),
    ({"type": "number", "maximum": 5}, {"type": "number", "exclusiveMaximum": 5}, NO, OK),
    ({"type": "integer", "maximum": 5.5}, {"type": "integer", "maximum": 5}, OK, OK),
    ({"type": "integer", "multipleOf": 4}, {"type": "integer", "multipleOf": 2}, OK, NO),
    ({"type": "integer"}, {"type": "number", "multipleOf": 1}, OK, OK),
    ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 9}, OK, NO),
    ({"type": "string", "minLength": 2}, {"type": "string", "minLength": 1}, OK, NO),
    ({"type": "string"}, {"type": "string", "pattern": "^[a-c]{3}$"}, NO, OK),
    ({"type": "string", "pattern": "^[a-c]{3}$"}, {"type": "string", "maxLength": 3}, OK, NO),
    ({"type": "string", "pattern": "^a|b$"}, {"type": "string", "maxLength": 3}, NO, NO),
    ({"type": "string", "format": "date"}, {"type": "string"}, OK, NO),
    ({"type": "string", "format": "date"}, {"type": "string", "maxLength": 10}, OK, NO),
    ({"type": "string", "format": "iri"}, {"type": "string"}, OK, OK),  # nobody checks it
    ({"type": "array", "items": {"type": "integer"}}, {"type": "array"}, OK, NO),
    ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 2}, NO, OK),
    ({"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 2}, NO, OK),
    (
        {"type": "array", "maxItems": 1},
        {"type": "array", "uniqueItems": True, "maxItems": 1},
        OK,
        OK,
    ),
    (
        {"type": "array", "maxItems": 2},
        {"type": "array", "uniqueItems": True, "maxItems": 2},
        NO,
        OK,
    ),
    (
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "uniqueItems": True},
        NO,
        NO,
    ),
    ({"items": [{"type": "integer"}]}, {"items": [{"type": "integer"}, {"type": "null"}]}, NO, OK),
    ({"items": [{}], "additionalItems": False}, {"type": "array", "maxItems": 1}, NO, OK),
    ({"type": "array", "contains": {"const": 1}}, {"type": "array", "minItems": 1}, OK, NO),
    ({"type": "array", "contains": {"const": 1}}, {"type": "array", "minItems": 2}, NO, NO),
    (
        {"type": "array", "contains": {"const": 1}},
        {"type": "array", "contains": {"type": "number"}},
        OK,
        NO,
    ),
    (
        {"type": "array", "minItems": 1, "items": {"const": 1}},
        {"type": "array", "contains": {"const": 1}},
        OK,
        NO,
    ),
    (
        {"type": "array", "items": {"const": 1}},
        {"type": "array", "contains": {"const": 1}},
        NO,
        NO,
    ),
    ({"type": "object", "minProperties": 1}, {"type": "object", "required": ["b"]}, NO, OK),
    ({"type": "object", "required": ["b"]}, {"type": "object", "minProperties": 2}, NO, NO),
    ({"type": "object", "maxProperties": 2}, {"type": "object", "maxProperties": 1}, NO, OK),
    (one({}), {"type": "object", "maxProperties": 1}, OK, NO),
    (
        {"type": "object", "propertyNames": {"maxLength": 3}},
        {"type": "object", "propertyNames": {"maxLength": 4}},
        OK,
        NO,
    ),
    (
        {"type": "object", "patternProperties": {"^x": {"type": "integer"}}},
        {"type": "object"},
        OK,
        NO,
    ),
    (
        {"type": "object", "patternProperties": {"^x": {"type": "integer"}}},
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        NO,
        NO,
    ),
    (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        OK,
        NO,
    ),
    ({"type": "object"}, {"type": "object", "dependencies": {"b": ["c"]}}, NO, OK),
    (
        {"type": "object", "required": ["c"]},
        {"type": "object", "dependencies": {"b": ["c"]}},
        OK,
        NO,
    ),
    ({"type": "object"}, {"type": "object", "dependencies": {"b": {"required": ["c"]}}}, NO, OK),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["null", "string"]}, OK, OK),
    ({"type": ["integer", "null"]}, {"anyOf": [{"type": "null"}, {"minimum": 0}]}, NO, NO),
    ({"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 2}, {"const": 1}]}, OK, OK),
    ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["string", "null"]}, OK, OK),
    (
        {"oneOf": [{"type": "number"}, {"minimum": 2}]},
        {"oneOf": [{"type": "number"}, {"minimum": 2}]},
        OK,
        OK,
    ),
    (
        {"oneOf": [{"type": "number"}, {"minimum": 2}]},
        {"anyOf": [{"type": "number"}, {"minimum": 2}]},
        OK,
        NO,
    ),
    (
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"type": "number", "not": {"type": "integer"}},
        OK,
        OK,
    ),
    ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 3}, OK, OK),
    ({"not": {"type": "string"}}, {"not": {"type": ["string", "null"]}}, NO, OK),
    ({"type": "integer"}, {"not": {"type": "string"}}, OK, NO),
    ({"if": {"type": "string"}, "then": {"maxLength": 3}}, {}, OK, NO),
    (True, False, NO, OK),
]


@pytest.mark.parametrize(("old", "new", "backward", "forward"), CHANGES)
def test_a_change_of_one_property_is_judged_in_both_directions(old, new, backward, forward):
    assert verdicts(one(old), one(new)) == (backward, forward)


@pytest.mark.parametrize(("old", "new", "backward", "forward"), CHANGES)
def test_the_other_way_round_the_answers_change_places(old, new, backward, forward):
    assert verdicts(one(new), one(old)) == (forward, backward)


@pytest.mark.parametrize(
    ("old", "new", "backward", "forward"),
    [
        (a({}), a({}, required=["a"]), NO, OK),
        (one({}), a({}), OK, NO),
        (one({}), one({}) | {"properties": {"a": {}, "b": {}}}, OK, NO),
        (one({}), {"type": "object", "propertyNames": {"enum": ["a"]}}, OK, OK),
        (True, {"type": "object"}, OK, OK),  # an event is an object in any case
        ({"type": ["object", "array"]}, {"type": "object"}, OK, OK),
        ({"type": "object", "description": "x"}, {"type": "object", "title": "y"}, OK, OK),
    ],
)
def test_a_change_of_the_whole_event_is_judged_in_both_directions(old, new, backward, forward):
    if old is True:
        old = {}

    assert verdicts(old, new) == (backward, forward)


def test_a_new_property_breaks_only_events_that_had_it_without_a_word():
    comparison = compared(a({}), {"type": "object", "properties": {"a": {}, "b": {"type": "null"}}})

    [finding] = comparison.findings
    assert finding.backward.verdict == "breaks"
    assert finding.backward.declared == "compatible"
    assert "b" in finding.backward.example.event
    assert comparison.verdict("backward", declared=True) == "compatible"


def test_each_difference_is_judged_by_itself():
    old = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    new = {"properties": {"a": {"type": "null"}, "b": {"type": ["string", "null"]}}}

    found = {
        (f.difference.pointer, f.difference.keyword): (f.backward.verdict, f.forward.verdict)
        for f in compared(old, new).findings
    }

    assert found == {
        ("/a", "required"): (OK, NO),
        ("/a", "type"): (NO, NO),
        ("/b", "required"): (OK, NO),
        ("/b", "type"): (OK, NO),
    }


def test_an_example_breaks_nothing_else_where_that_can_be():
    old = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    new = {"properties": {"a": {"maxLength": 2}, "b": {"maxLength": 3}}, "required": ["a"]}

    comparison = compared(old, new)

    for finding in comparison.findings:
        if finding.backward.example is not None:
            assert len(comparison.new.faults(finding.backward.example.event)) == 1


def test_recursive_schemas_are_compared():
    def tree(leaf):
        return {
            "definitions": {
                "node": {
                    "type": "object",
                    "properties": {
                        "value": leaf,
                        "inner": {"type": "array", "items": {"$ref": "#/definitions/node"}},
                    },
                    "additionalProperties": False,
                }
            },
            "allOf": [{"$ref": "#/definitions/node"}],
        }

    wider = verdicts(tree({"type": "string"}), tree({"type": ["string", "null"]}))

    assert wider == ("compatible", "breaks")


def test_a_default_stands_in_for_a_required_property():
    old = a({"type": "string"})
    filled = a({"type": "string", "default": "x"}, required=["a"])
    broken = a({"type": "string", "default": 1})

    assert verdicts(old, filled) == ("compatible", "compatible")
    assert verdicts(old, broken) == ("breaks", "compatible")


def test_a_default_that_is_not_valid_itself_does_not_stand_in():
    inner = {"type": "object", "properties": {"x": {}}, "required": ["x"]}
    old = a(inner)
    new = a({**inner, "default": {}}, required=["a"])

    assert verdicts(old, new)[0] == "breaks"


def test_a_default_in_a_branch_of_a_choice_is_not_filled():
    branch = a({"default": 1}, required=["a"])

    assert verdicts(a({}), {"anyOf": [branch]})[0] == "breaks"


def test_a_default_may_be_one_property_too_many():
    old = {"type": "object", "properties": {"a": {}}, "maxProperties": 1}
    new = {"type": "object", "properties": {"a": {"default": 1}}, "maxProperties": 1}

    assert verdicts(old, new)[0] == "breaks"


def test_what_can_neither_be_proven_nor_shown_is_said_to_be_open():
    # The second pattern follows from the first, which only a theory of patterns could tell.
    old = one({"type": "string", "pattern": "^aa$"})
    new = one({"type": "string", "pattern": "^a+$"})

    comparison = compared(old, new)

    assert comparison.verdict("backward") == "undecided"
    assert comparison.verdict("forward") == "breaks"


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(pairs(), st.lists(events(), min_size=20, max_size=40))
def test_no_event_contradicts_what_was_called_compatible(schemas, sent):
    check_soundness(schemas, sent)


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
@given(pairs(defaults=True), st.lists(events(), min_size=20, max_size=40))
def test_no_event_contradicts_it_where_defaults_are_filled(schemas, sent):
    check_soundness(schemas, sent)


def check_soundness(schemas, sent):
    try:
        old, new = side(schemas[0]), side(schemas[1])
    except UnusableSchema:
        return  # no repository would take it

    comparison = compare(old, new)

    check_examples(comparison)
    for direction, taker, refuser in (("backward", old, new), ("forward", new, old)):
        broken = [event for event in sent if taker.takes(event) and not refuser.takes(event)]
        assert not broken or comparison.verdict(direction) != "compatible"
        if comparison.verdict(direction, declared=True) == "compatible":
            assert [event for event in broken if lists_all((taker.part,), event)] == []

import pytest

from migration.compat.differences import differences
from tests.migration.compat.sides import side


def told(old, new):
    found = differences((side(old).part,), (side(new).part,))
    return [(one.pointer, one.keyword, one.old, one.new) for one in found]


def a(schema, **more):
    return {"type": "object", "properties": {"a": schema}, **more}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (a({}), a({}, required=["a"]), [("/a", "required", None, True)]),
        (a({}, required=["a"]), a({}), [("/a", "required", True, None)]),
        (a({}), {"type": "object"}, [("/a", "properties", True, None)]),
        (
            {"type": "object"},
            a({"type": "null"}),
            [("/a", "properties", None, {"type": ["null"]})],
        ),
        (a({"maxLength": 2}), a({"maxLength": 0}), [("/a", "maxLength", 2, 0)]),
        (a({"enum": [1, "x"]}), a({"enum": ["x"]}), [("/a", "enum", [1, "x"], ["x"])]),
        (a({"const": "x"}), a({"enum": ["x"]}), []),
        (
            a({"minimum": 0}),
            a({"exclusiveMinimum": 0}),
            [("/a", "minimum", 0, None), ("/a", "exclusiveMinimum", None, 0)],
        ),
        (
            a({"items": {"type": "integer"}}),
            a({"items": {"type": "number"}}),
            [("/a/*", "type", ["integer"], ["number"])],
        ),
        (
            a({"items": [{"minimum": 1}]}),
            a({"items": [{"minimum": 2}]}),
            [("/a/0", "minimum", 1, 2)],
        ),
        (
            a({"additionalProperties": {"maxLength": 1}}),
            a({"additionalProperties": {"maxLength": 2}}),
            [
                ("/a", "additionalProperties", [{"maxLength": 1}], [{"maxLength": 2}]),
                ("/a/*", "maxLength", 1, 2),
            ],
        ),
        (
            a({}),
            a({}, additionalProperties=False),
            [("", "additionalProperties", None, False)],
        ),
        (a({"default": 1}), a({"default": 2}), [("/a", "default", 1, 2)]),
        (a({"anyOf": [{"type": "null"}]}), a({}), [("/a", "anyOf", [[{"type": "null"}]], None)]),
    ],
)
def test_a_difference_is_told_at_its_place(old, new, expected):
    assert told(old, new) == expected


def test_it_does_not_matter_how_a_schema_is_put_together():
    old = a({"type": "string", "maxLength": 3}, required=["a"])
    new = {
        "definitions": {"short": {"maxLength": 3}},
        "allOf": [a({"allOf": [{"$ref": "#/definitions/short"}, {"type": "string"}]})],
        "required": ["a"],
        "description": "another",
    }

    assert told(old, new) == []


def test_names_are_escaped_in_pointers():
    def named(schema):
        return {"type": "object", "properties": {"a/b~c": schema}}

    [(pointer, *_)] = told(named({}), named({"type": "null"}))

    assert pointer == "/a~1b~0c"


def test_differences_come_in_the_order_of_the_new_schema():
    old = {"type": "object", "properties": {"x": {}, "y": {}, "z": {}}}
    new = {"type": "object", "properties": {"y": {"type": "null"}, "x": {"type": "null"}}}

    assert [pointer for pointer, *_ in told(old, new)] == ["/y", "/x", "/z"]

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.linting.linter import WHOLE, WRITTEN
from migration.linting.subject import Subject
from migration.linting.types import numeric_bounds, one_type, required_exists, snake_case
from migration.materialize import SAFE, materialized
from migration.materializerefs import MaterializeError
from migration.repository import load_file

words = st.sampled_from(
    [
        *("type", "properties", "required", "allOf", "items", "enum", "$ref", "$id", "$schema"),
        *("title", "examples", "minimum", "additionalProperties", "definitions", "pattern", "x"),
    ]
)
anything = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "string", "integer", "#/x", "a b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(document=st.dictionaries(words, anything, max_size=6))
def test_no_rule_falls_over_whatever_is_written(document, tmp_path_factory):
    path: Path = tmp_path_factory.mktemp("any") / "current.yaml"
    path.write_text(json.dumps(document))
    file = load_file(path)
    wholes = [document]
    with suppress(MaterializeError):
        wholes.append(materialized("/a/1.0.0", document, missing))

    for whole in wholes:
        subject = Subject(file, "/a/1.0.0", whole, is_current=True)
        for rule in (WRITTEN | WHOLE).values():
            for steps, message in rule(subject):
                assert message
                assert subject.line(steps) >= 1


def missing(uri):
    raise MaterializeError(f"{uri} is not there")


def problems(rule, schema, uri="/a/1.0.0"):
    file = None  # rules about types look at the document only
    return list(rule(Subject(file, uri, schema, is_current=True)))


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ({"type": "string"}, []),
        ({}, [()]),
        ({"type": ["string"]}, [("type",)]),
        ({"type": "object", "additionalProperties": {"type": "string"}}, []),
        ({"type": "object", "additionalProperties": True}, [()]),
        ({"type": "object", "additionalProperties": {}}, [("additionalProperties",)]),
        ({"type": "object", "properties": {"a": True}}, [("properties", "a")]),
        ({"type": "array", "items": {"type": "array"}}, [("items",)]),
        ({"type": "array", "items": [{"type": "string"}]}, [()]),
        ({"type": "integer", "enum": [1, 2.0]}, []),
        ({"type": "integer", "enum": [1, True]}, [("enum",)]),
        ({"type": "number", "enum": [1.5, None]}, [("enum",)]),
    ],
)
def test_a_value_has_one_type_that_is_known(schema, places):
    assert [steps for steps, _ in problems(one_type, schema)] == places


@pytest.mark.parametrize(
    ("bounds", "count"),
    [
        ({"minimum": 0, "maximum": SAFE}, 0),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0),
        ({"minimum": 0}, 1),
        ({}, 1),
        ({"minimum": -SAFE - 1, "maximum": SAFE + 1}, 2),
        ({"minimum": True, "maximum": 1}, 1),
    ],
)
def test_a_number_has_bounds_that_every_reader_holds(bounds, count):
    assert len(problems(numeric_bounds, {"type": "number", **bounds})) == count


@pytest.mark.parametrize(
    ("name", "good"), [("page_id", True), ("$schema", True), ("a1", True), ("pageId", False)]
)
def test_names_are_snake_case_but_for_those_of_old_events(name, good):
    schema = {"properties": {"x": {"properties": {name: {}}}}}

    assert (problems(snake_case, schema) == []) is good
    assert problems(snake_case, schema, "/analytics/legacy/visit/1.0.0") == []
    assert (problems(snake_case, schema, "/analytics/legacyvisit/1.0.0") == []) is good


def test_what_is_required_of_another_schemas_properties_is_not_asked_for():
    schema = {
        "properties": {"a": {}, "b": {"required": ["c"], "properties": {}}},
        "required": ["a"],
        "anyOf": [{"required": ["x"]}],
    }

    assert [steps for steps, _ in problems(required_exists, schema)] == [
        ("properties", "b", "required")
    ]

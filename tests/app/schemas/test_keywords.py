import pytest

from app.schemas.keywords import at, path_of, pointer_of, subschemas, walk


def test_the_walk_finds_every_schema_and_nothing_that_only_looks_like_one():
    schema = {
        "properties": {"a": {"type": "string"}, "properties": {"items": [{"n": 1}]}, "t": True},
        "items": {"anyOf": [{"n": 2}, False]},
        "dependencies": {"a": ["b"], "b": {"n": 3}},
        "enum": [{"properties": {"x": {}}}],
        "const": {"items": {}},
        "default": {"not": {}},
        "examples": [{"items": {}}],
        "custom": {"items": {}},
    }

    assert [path for path, _ in walk(schema)] == [
        (),
        ("properties", "a"),
        ("properties", "properties"),
        ("properties", "properties", "items", 0),
        ("items",),
        ("items", "anyOf", 0),
        ("dependencies", "b"),
    ]


def test_a_schema_of_wrong_shape_has_no_schemas_within():
    assert list(subschemas({"properties": [1], "allOf": {}, "items": "x", "anyOf": None})) == []


def test_a_pointer_leads_back_to_its_path():
    document = {"a/b": {"c~d": [{"": 7}]}}
    path = ("a/b", "c~d", 0, "")

    assert pointer_of(path) == "/a~1b/c~0d/0/"
    assert path_of(document, pointer_of(path)) == path
    assert at(document, path) == 7


@pytest.mark.parametrize(
    "pointer", ["/x", "/list/1", "/list/-1", "/list/\u0660", "/list/x", "/n/1"]
)
def test_a_pointer_to_nothing_has_no_path(pointer):
    assert path_of({"list": [0], "n": 5}, pointer) is None

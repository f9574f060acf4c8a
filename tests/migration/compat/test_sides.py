import json

import pytest

from migration.compat.sides import (
    UnusableSchema,
    bases_of,
    is_draft_3,
    load_document,
    modern_side,
)
from tests.migration.compat.sides import side


def written(folder, name, schema):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(schema))
    return file


def test_a_schema_is_read_by_its_file_with_or_without_its_ending(tmp_path):
    file = written(tmp_path, "1.0.0.yaml", {"title": "x"})

    assert load_document(str(file), []) == {"title": "x"}
    assert load_document(str(file.with_name("1.0.0")), []) == {"title": "x"}


def test_a_schema_is_read_by_its_uri_from_the_first_repository_that_has_it(tmp_path):
    written(tmp_path, "two/x/1.0.0.json", {"title": "two"})

    found = load_document("/x/1.0.0", [str(tmp_path / "one"), str(tmp_path / "two")])

    assert found == {"title": "two"}


@pytest.mark.parametrize("text", ["[1]", "a: b: c", "\x00"])
def test_a_file_that_holds_no_schema_is_named(tmp_path, text):
    file = tmp_path / "x.yaml"
    file.write_text(text)

    with pytest.raises(UnusableSchema, match=str(file)):
        load_document(str(file), [])


def test_a_file_that_is_not_there_is_named_with_what_can_be_done():
    with pytest.raises(UnusableSchema, match=r"^x/1\.0\.0 is no file.*--schemas"):
        load_document("x/1.0.0", [])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, True),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, False),
        ({"properties": {"a": {"required": True}}}, True),
        ({"properties": {"a": {"items": {"properties": {"b": {"required": False}}}}}}, True),
        ({"properties": {"required": {"type": "boolean"}}, "required": ["required"]}, False),
        ({"properties": {"a": {"type": "any"}}}, False),
    ],
)
def test_draft_3_is_told_by_its_name_or_by_flags_on_properties(schema, expected):
    assert is_draft_3(schema) is expected


def test_references_are_resolved_in_the_repository_that_a_file_lies_in(tmp_path):
    written(tmp_path, "fragment/1.0.0", {"$id": "/fragment/1.0.0", "required": ["a"]})
    schema = {"$id": "/x/1.0.0", "allOf": [{"$ref": "/fragment/1.0.0"}]}
    file = written(tmp_path, "x/1.0.0.yaml", schema)

    bases = bases_of(str(file), schema)

    assert bases == [str(tmp_path)]
    assert not modern_side("x", schema, bases).takes({})


def test_a_file_elsewhere_than_its_id_says_tells_no_repository(tmp_path):
    assert bases_of(str(tmp_path / "x.yaml"), {"$id": "/x/1.0.0"}) == []
    assert bases_of(str(tmp_path / "x.yaml"), {}) == []


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "/nowhere/1.0.0"}, "cannot be used.*--schemas"),
        ({"type": 5}, "cannot be used"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, "draft-07 can be compared"),
    ],
)
def test_a_schema_that_the_service_could_not_use_is_refused(schema, said):
    with pytest.raises(UnusableSchema, match=said):
        side(schema)


def test_faults_are_those_of_the_service_with_defaults_filled():
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"default": 1}, "b": {"type": "string"}},
    }

    [fault] = side(schema).faults({"b": 5})

    assert (fault.pointer, fault.keyword) == ("/b", "type")

from itertools import pairwise

import pytest

from migration.materializerefs import MaterializeError, dereferenced

OTHER = {
    "$id": "/a/other/1.0.0",
    "definitions": {"word": {"type": "string"}, "link": {"$ref": "#/definitions/word"}},
    "properties": {"x": {"type": "integer"}},
}


def find(uri):
    if uri == "/a/other/1.0.0":
        return OTHER
    raise MaterializeError(f"{uri} is not there")


def whole(document):
    return dereferenced("/a/this/1.0.0", document, find)


@pytest.mark.parametrize(
    "reference",
    [
        "/a/other/1.0.0",
        "/a/other/1.0.0#",
        "/a/other/1.0.0.yaml#",
        "../other/1.0.0",
    ],
)
def test_another_schema_is_put_in_place_whatever_way_it_is_named(reference):
    made = whole({"items": {"$ref": reference}})

    assert made["items"]["properties"] == OTHER["properties"]
    assert made["items"]["definitions"]["link"] == {"type": "string"}


def test_local_references_mean_the_document_that_they_are_in():
    document = {
        "definitions": {"word": {"type": "boolean"}},
        "items": {"$ref": "/a/other/1.0.0#/definitions/link"},
        "not": {"$ref": "./#/definitions/word"},
    }

    made = whole(document)

    assert made["items"] == {"type": "string"}
    assert made["not"] == {"type": "boolean"}


def test_what_stands_beside_a_reference_goes_first():
    document = {
        "definitions": {"a": {"type": "string", "description": "general"}},
        "properties": {"x": {"$ref": "#/definitions/a", "description": "special"}},
    }

    made = whole(document)

    assert made["properties"]["x"] == {"type": "string", "description": "special"}


def test_an_example_may_name_its_schema_by_reference():
    made = whole({"$id": "/a/this/1.0.0", "examples": [{"$schema": {"$ref": "#/$id"}}]})

    assert made["examples"] == [{"$schema": "/a/this/1.0.0"}]


def test_a_property_called_ref_is_no_reference():
    document = {"properties": {"$ref": {"type": "string"}}}

    assert whole(document) == document


def test_the_document_itself_is_left_as_it_is():
    document = {"items": {"$ref": "/a/other/1.0.0"}}

    whole(document)["items"]["properties"]["y"] = 1

    assert document == {"items": {"$ref": "/a/other/1.0.0"}}
    assert "y" not in OTHER["properties"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"items": {"$ref": "/a/other/latest"}}, "at #/items: .*no fixed version"),
        ({"items": {"$ref": "/a/other/current.yaml"}}, "no fixed version"),
        ({"items": {"$ref": "/a/missing/1.0.0"}}, "at #/items: /a/missing/1.0.0 is not there"),
        ({"items": {"$ref": "#/definitions/x"}}, "has no such part"),
        ({"items": {"$ref": "#anchor"}}, "has no such part"),
        ({"items": {"$ref": "https://example.org/1.0.0"}}, "is no URI of a repository"),
        ({"items": {"$ref": "#"}}, "leads back to itself"),
        ({"x": {"$ref": "#/y"}, "y": {"$ref": "#/x"}}, "leads back to itself"),
        ({"x": {"$ref": "#/y", "z": 1}, "y": 3}, "nothing goes beside"),
    ],
)
def test_a_reference_that_cannot_be_replaced_is_refused_with_its_place(document, said):
    with pytest.raises(MaterializeError, match=said):
        whole(document)


def test_references_that_multiply_are_refused():
    names = [f"d{i}" for i in range(30)]
    definitions = {
        name: {"allOf": [{"$ref": f"#/definitions/{then}"}] * 2} for name, then in pairwise(names)
    } | {names[-1]: {"type": "string"}}

    with pytest.raises(MaterializeError, match="more than 200000 values"):
        whole({"definitions": definitions})

import copy
import json

import jsonschema_rs as rs
import pytest

from app.schemas.bundle import bundled
from app.schemas.closure import BrokenSchema

NEWEST = "https://json-schema.org/draft/2020-12/schema"


def judge(bundle):
    """The validator of a bundle; it may fetch nothing."""
    return bundle.draft.validator(bundle.schema, offline=True).is_valid


async def test_documents_are_put_together_and_stay_as_they_are(traced):
    document = {"$id": "/test/1.0.0", "properties": {"a": {"$ref": "/b/1.0.0#/definitions/x"}}}
    other = {"$id": "/b/1.0.0", "definitions": {"x": {"type": "integer"}}}
    before = copy.deepcopy((document, other))

    bundle = bundled(await traced(document, others={"/b/1.0.0": other}))

    assert (document, other) == before
    assert "$id" not in json.dumps(bundle.schema)
    assert judge(bundle)({"a": 1})
    assert not judge(bundle)({"a": "x"})


async def test_references_lead_from_document_to_document_and_back(traced):
    others = {
        "/b/1.0.0": {"properties": {"c": {"$ref": "/c/1.0.0"}}},
        "/c/1.0.0": {"properties": {"t": {"$ref": "/test/1.0.0#/definitions/n"}}},
    }

    bundle = bundled(
        await traced({"$ref": "/b/1.0.0", "definitions": {"n": {"type": "null"}}}, others=others)
    )

    assert judge(bundle)({"c": {"t": None}})
    assert not judge(bundle)({"c": {"t": 0}})


async def test_a_schema_may_refer_to_itself(traced):
    bundle = bundled(await traced({"properties": {"child": {"$ref": "#"}}, "required": ["name"]}))

    assert judge(bundle)({"name": 1, "child": {"name": 2}})
    assert not judge(bundle)({"name": 1, "child": {}})


async def test_names_of_any_character_are_found_again(traced):
    names = ["a b", "c/d~e", "é%41", '"<>^`{|}\\', "#?&", "100%", "😀", ""]
    definitions = {name: {"const": index} for index, name in enumerate(names)}
    other = {"definitions": definitions}

    closure = await traced(
        {
            "properties": {
                str(index): {"$ref": "/b/1.0.0#/definitions/" + reference}
                for index, reference in enumerate(
                    [
                        "a%20b",
                        "c~1d~0e",
                        "%C3%A9%2541",
                        "%22%3C%3E%5E%60%7B%7C%7D%5C",
                        "%23%3F&",
                        "100%25",
                        "%F0%9F%98%80",
                        "",
                    ]
                )
            }
        },
        others={"/b/1.0.0": other},
    )

    is_valid = judge(bundled(closure))
    assert is_valid({str(index): index for index in range(len(names))})
    for index in range(len(names)):
        assert not is_valid({str(index): -1})


async def test_an_embedded_part_keeps_its_meaning_without_its_id(traced):
    embedded = {
        "$id": "/fragment/1.0.0",
        "properties": {"a": {"$ref": "#/definitions/x"}},
        "definitions": {"x": {"type": "string"}},
    }

    is_valid = judge(
        bundled(
            await traced(
                {"properties": {"part": embedded}, "definitions": {"x": {"type": "integer"}}}
            )
        )
    )

    assert is_valid({"part": {"a": "x"}})
    assert not is_valid({"part": {"a": 1}})


async def test_ids_are_kept_where_they_are_data(traced):
    data = {"$id": "/x", "$ref": "http://127.0.0.1:1/", "$schema": "y"}
    bundle = bundled(
        await traced(
            {
                "properties": {"$id": {"type": "string"}, "$schema": {"type": "string"}},
                "enum": [data],
                "default": data,
                "examples": [data],
            }
        )
    )

    assert bundle.schema["properties"].keys() == {"$id", "$schema"}
    assert (
        bundle.schema["enum"] == bundle.schema["examples"] == [bundle.schema["default"]] == [data]
    )
    assert judge(bundle)(data)
    assert not judge(bundle)(data | {"$id": 7})


async def test_a_schema_under_an_unknown_keyword_can_be_referred_to(traced):
    bundle = bundled(
        await traced(
            {
                "items": {"$ref": "/b/1.0.0#/components/a"},
            },
            others={
                "/b/1.0.0": {
                    "components": {
                        "a": {"$id": "x", "$ref": "#/components/b"},
                        "b": {"type": "string"},
                    }
                }
            },
        )
    )

    assert judge(bundle)(["x"])
    assert not judge(bundle)([1])


async def test_a_definition_named_like_a_document_is_not_overwritten(traced):
    bundle = bundled(
        await traced(
            {
                "properties": {
                    "mine": {"$ref": "#/definitions/~1b~11.0.0"},
                    "theirs": {"$ref": "/b/1.0.0"},
                },
                "definitions": {"/b/1.0.0": {"type": "string"}},
            },
            others={"/b/1.0.0": {"type": "integer"}},
        )
    )

    assert judge(bundle)({"mine": "x", "theirs": 1})
    assert not judge(bundle)({"mine": 1})
    assert not judge(bundle)({"theirs": "x"})


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["draft-04", "draft-07", "draft/2019-09", "draft/2020-12"])
async def test_a_meta_schema_may_be_referred_to(traced, scheme, name):
    uri = f"{scheme}://json-schema.org/{name}/schema"
    bundle = bundled(await traced({"$schema": uri, "properties": {"s": {"$ref": uri}}}))

    assert judge(bundle)({"s": {"type": "string"}})
    assert not judge(bundle)({"s": {"type": 7}})


async def test_dynamic_references_are_plain_ones(traced):
    bundle = bundled(
        await traced(
            {
                "$schema": NEWEST,
                "properties": {
                    "a": {"$dynamicRef": "#n", "$ref": "#/$defs/small"},
                },
                "$defs": {
                    "n": {"$dynamicAnchor": "n", "type": "integer"},
                    "small": {"maximum": 5},
                },
            }
        )
    )

    assert judge(bundle)({"a": 1})
    assert not judge(bundle)({"a": 1.5})
    assert not judge(bundle)({"a": 6})


async def test_every_schema_in_the_bundle_is_a_part_of_it(traced):
    closure = await traced(
        {"items": {"$ref": "/b/1.0.0"}, "not": {"enum": [{"type": "x"}]}},
        others={"/b/1.0.0": {"properties": {"p": {}}}},
    )

    bundle = bundled(closure)

    assert len(bundle.parts) == len(closure.schemas) == 5
    assert any(part is bundle.schema["items"] for part in bundle.parts)


async def test_until_draft_07_what_stands_beside_a_reference_is_ignored(traced):
    old = bundled(await traced({"$ref": "#/definitions/x", "definitions": {"x": {}}}))
    new = bundled(await traced({"$schema": NEWEST, "$ref": "#/$defs/x", "$defs": {"x": {}}}))

    assert old.stands_alone(old.schema)
    assert not new.stands_alone(new.schema)
    assert list(old.certain(old.schema)) == [{}]


async def test_a_reference_of_wrong_type_is_left_for_the_meta_schema_to_refuse(traced):
    bundle = bundled(await traced({"items": {"$ref": 7}}))

    with pytest.raises(rs.ValidationError):
        rs.meta.validate(bundle.schema)


async def test_definitions_that_are_no_object_are_refused(traced):
    document = {"definitions": ["x"], "items": {"$ref": "/b/1.0.0"}}

    with pytest.raises(BrokenSchema, match="#/definitions: it is no object"):
        bundled(await traced(document, others={"/b/1.0.0": {}}))

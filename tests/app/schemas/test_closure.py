import time

import pytest

from app.core.errors import SchemaNotFound
from app.schemas.closure import MAX_DOCUMENTS, MAX_SCHEMAS, BrokenSchema

NEWEST = "https://json-schema.org/draft/2020-12/schema"


def targets_of(closure):
    """Where references lead: from (uri, path, keyword) to (uri, path)."""
    return {
        (uri, *path, keyword): target for ((uri, path), keyword), target in closure.targets.items()
    }


async def test_a_schema_without_references_is_its_own_closure(traced):
    closure = await traced({"properties": {"a": {}}})

    assert list(closure.documents) == ["/test/1.0.0"]
    assert [path for _, path in closure.schemas] == [(), ("properties", "a")]
    assert closure.targets == {}


@pytest.mark.parametrize(
    ("reference", "document"),
    [
        ("/fragment/x/1.0.0", "/fragment/x/1.0.0"),
        ("/fragment/x/1.0.0.yaml#", "/fragment/x/1.0.0"),
        ("/fragment/x/1.0.0#/definitions/y", "/fragment/x/1.0.0"),
        ("2.0.0", "/a/b/2.0.0"),
        ("../c/1.0.0", "/a/c/1.0.0"),
        ("./2.0.0#", "/a/b/2.0.0"),
    ],
)
async def test_other_documents_are_fetched_relative_to_the_document(traced, reference, document):
    closure = await traced(
        {"$ref": reference}, uri="/a/b/1.0.0", others={document: {"definitions": {"y": {}}}}
    )

    assert list(closure.documents) == ["/a/b/1.0.0", document]


async def test_what_those_refer_to_is_fetched_too_each_once(traced):
    others = {
        "/b/1.0.0": {"items": {"$ref": "/c/1.0.0"}, "not": {"$ref": "/test/1.0.0"}},
        "/c/1.0.0": {"$ref": "../b/1.0.0#/items"},
    }

    closure = await traced({"items": {"$ref": "/b/1.0.0"}}, others=others)

    assert set(closure.documents) == {"/test/1.0.0", "/b/1.0.0", "/c/1.0.0"}
    assert targets_of(closure)["/c/1.0.0", "$ref"] == ("/b/1.0.0", ("items",))


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:1/x",
        "https://example.org/x#/y",
        "file:///etc/passwd",
        "urn:example:x",
        "//host/x/1.0.0",
        "http:x",
        "https://json-schema.org.evil.test/draft-07/schema#",
    ],
)
async def test_a_reference_that_leads_outside_is_refused_by_name(traced, reference):
    with pytest.raises(BrokenSchema, match="outside of the repositories") as caught:
        await traced({"properties": {"a": {"$ref": reference}}})

    assert reference in str(caught.value)


@pytest.mark.parametrize("reference", ["/a%2e/x", "/a?b", "/x\\y", "../../../..", "/a b"])
async def test_a_reference_that_is_no_schema_uri_is_refused(traced, reference):
    with pytest.raises(BrokenSchema, match="no schema's URI"):
        await traced({"$ref": reference})


async def test_dots_cannot_leave_the_repository(traced):
    closure = await traced({"$ref": "../../../../x/1.0.0"}, others={"/x/1.0.0": {}})

    assert "/x/1.0.0" in closure.documents


async def test_a_missing_document_is_the_finders_to_tell(traced):
    with pytest.raises(SchemaNotFound):
        await traced({"$ref": "/nowhere/1.0.0"})


@pytest.mark.parametrize(
    "reference", ["#/definitions/none", "#none", "#/required", "#/required/0", "#/definitions/"]
)
async def test_a_reference_to_no_schema_is_refused(traced, reference):
    with pytest.raises(BrokenSchema, match="where there is no schema"):
        await traced({"not": {"$ref": reference}, "required": ["a"], "definitions": {}})


async def test_a_reference_may_name_an_odd_property(traced):
    closure = await traced(
        {
            "properties": {
                "1": {"$ref": "#/definitions/a%20b"},
                "2": {"$ref": "#/definitions/c~1d~0e"},
                "3": {"$ref": "#/definitions/%C3%A9%25"},
                "4": {"$ref": "#/definitions/$ref/allOf/0"},
            },
            "definitions": {"a b": {}, "c/d~e": {}, "é%": {}, "$ref": {"allOf": [{}]}},
        }
    )

    assert sorted(path[1:] for _, path in closure.targets.values()) == [
        ("$ref", "allOf", 0),
        ("a b",),
        ("c/d~e",),
        ("é%",),
    ]


async def test_an_anchor_is_found_by_its_name(traced):
    old = await traced({"items": {"$ref": "#here"}, "definitions": {"x": {"$id": "#here"}}})
    new = await traced(
        {"$schema": NEWEST, "items": {"$ref": "#here"}, "$defs": {"x": {"$anchor": "here"}}}
    )

    assert targets_of(old)["/test/1.0.0", "items", "$ref"][1] == ("definitions", "x")
    assert targets_of(new)["/test/1.0.0", "items", "$ref"][1] == ("$defs", "x")


async def test_a_dynamic_reference_is_traced_like_any_other(traced):
    closure = await traced(
        {"$schema": NEWEST, "items": {"$dynamicRef": "/other/1.0.0#node"}},
        others={"/other/1.0.0": {"$defs": {"n": {"$dynamicAnchor": "node"}}}},
    )

    assert closure.targets == {
        (("/test/1.0.0", ("items",)), "$dynamicRef"): ("/other/1.0.0", ("$defs", "n"))
    }


async def test_below_an_embedded_id_a_local_reference_means_the_embedded_part_first(traced):
    embedded = {
        "$id": "/fragment/1.0.0",
        "properties": {"a": {"$ref": "#/definitions/x"}, "b": {"$ref": "#/definitions/y"}},
        "definitions": {"x": {"title": "inner"}},
    }

    closure = await traced(
        {
            "properties": {"part": embedded},
            "definitions": {"x": {"title": "outer"}, "y": {"title": "outer"}},
        }
    )

    inside = ("/test/1.0.0", "properties", "part", "properties")
    targets = targets_of(closure)
    assert targets[*inside, "a", "$ref"][1] == ("properties", "part", "definitions", "x")
    assert targets[*inside, "b", "$ref"][1] == ("definitions", "y")


async def test_a_reference_with_a_path_below_an_embedded_id_is_relative_to_that(traced):
    embedded = {"$id": "/fragment/deep/1.0.0", "not": {"$ref": "2.0.0"}}

    closure = await traced({"items": embedded}, others={"/fragment/deep/2.0.0": {}})

    assert "/fragment/deep/2.0.0" in closure.documents


async def test_an_embedded_part_may_name_itself_without_being_fetched(traced):
    embedded = {"$id": "/fragment/1.0.0", "items": {"$ref": "/fragment/1.0.0#"}}

    closure = await traced({"properties": {"part": embedded}})

    assert list(closure.documents) == ["/test/1.0.0"]
    assert list(closure.targets.values()) == [("/test/1.0.0", ("properties", "part"))]


async def test_outside_of_it_an_embedded_id_is_no_name_for_anything(traced):
    """Else whoever embeds a schema under another's name would change what that means."""
    document = {
        "properties": {
            "part": {"$id": "/fragment/1.0.0", "type": "string"},
            "other": {"$ref": "/fragment/1.0.0"},
        }
    }

    closure = await traced(document, others={"/fragment/1.0.0": {"type": "integer"}})

    assert closure.targets == {
        (("/test/1.0.0", ("properties", "other")), "$ref"): ("/fragment/1.0.0", ())
    }


async def test_a_property_named_ref_or_id_refers_to_nothing(traced):
    closure = await traced(
        {
            "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}},
            "enum": [{"$ref": "http://127.0.0.1:1/"}],
            "default": {"$ref": "/nowhere"},
        }
    )

    assert closure.targets == {}


async def test_a_schema_under_an_unknown_keyword_is_traced_when_something_refers_to_it(traced):
    closure = await traced(
        {
            "items": {"$ref": "#/components/a"},
            "components": {"a": {"$ref": "/b/1.0.0"}, "unused": {"$ref": "/nowhere/1.0.0"}},
        },
        others={"/b/1.0.0": {}},
    )

    assert set(closure.documents) == {"/test/1.0.0", "/b/1.0.0"}


async def test_at_most_64_documents_belong_to_a_schema(traced):
    def chain(length):
        return {
            f"/d{i}/1.0.0": {"items": {"$ref": f"/d{i + 1}/1.0.0"}} if i < length else {}
            for i in range(1, length + 1)
        }

    closure = await traced({"$ref": "/d1/1.0.0"}, others=chain(MAX_DOCUMENTS - 1))

    assert len(closure.documents) == MAX_DOCUMENTS
    with pytest.raises(BrokenSchema, match="more than 64 documents"):
        await traced({"$ref": "/d1/1.0.0"}, others=chain(MAX_DOCUMENTS))


async def test_at_most_20000_schemas_make_a_schema(traced):
    async def properties(count):
        return await traced({"properties": {f"p{i}": {} for i in range(count)}})

    assert len((await properties(MAX_SCHEMAS - 1)).schemas) == MAX_SCHEMAS
    with pytest.raises(BrokenSchema, match="more than 20,000 schemas"):
        await properties(MAX_SCHEMAS)


@pytest.mark.parametrize("draft", ["draft-04/schema#", "draft/2020-12/schema", "draft-03/schema#"])
async def test_a_document_of_another_draft_is_not_judged_by_this_one(traced, draft):
    """`dependentRequired` of 2020-12 would mean nothing under draft-07, and let anything pass."""
    other = {"$schema": f"http://json-schema.org/{draft}", "type": "object"}

    with pytest.raises(BrokenSchema, match=r"refers to /b/1\.0\.0, which follows another draft"):
        await traced({"items": {"$ref": "/b/1.0.0"}}, others={"/b/1.0.0": other})


@pytest.mark.parametrize("spelling", ["http://json-schema.org/draft-07/schema", None])
async def test_a_document_of_the_same_draft_may_spell_it_otherwise_or_not_at_all(traced, spelling):
    other = {"type": "object"} | ({"$schema": spelling} if spelling else {})
    document = {
        "$schema": "https://json-schema.org/draft-07/schema#",
        "items": {"$ref": "/b/1.0.0"},
    }

    closure = await traced(document, others={"/b/1.0.0": other})

    assert set(closure.documents) == {"/test/1.0.0", "/b/1.0.0"}


async def test_very_many_references_to_very_many_anchors_are_traced_in_time(traced):
    count = 9_000
    document = {
        "definitions": {f"d{i}": {"$id": f"#a{i}"} for i in range(count)},
        "properties": {f"p{i}": {"$ref": f"#a{i}"} for i in range(count)},
    }
    before = time.process_time()

    closure = await traced(document)

    assert len(closure.targets) == count
    assert time.process_time() - before < 2

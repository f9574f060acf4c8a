import pytest

from app.schemas.bundle import bundled
from app.schemas.fields import field_of

NEWEST = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def asking(traced):
    async def asking(document, **settings):
        bundle = bundled(await traced(document, **settings))
        return lambda path: field_of(bundle, path)

    return asking


async def test_a_field_is_declared_by_its_path(asking):
    field = await asking(
        {
            "properties": {
                "meta": {"properties": {"dt": {}, "free": True}},
                "http": {"properties": {"request_headers": {"type": "object"}}},
            }
        }
    )

    assert field("meta") == field("meta.dt") == field("meta.free") == "declared"
    assert field("http.request_headers.user-agent") == "map"
    assert field("meta.id") is None
    assert field("http.client_ip") is None
    assert field("other.dt") is None
    assert field("meta.dt.deeper") is None
    assert field("") is None


async def test_references_and_all_of_are_seen_through(asking):
    field = await asking(
        {
            "allOf": [{"$ref": "/b/1.0.0"}, {"properties": {"own": {}}}],
            "properties": {"meta": {"allOf": [{"properties": {"dt": {}}}]}},
        },
        others={"/b/1.0.0": {"properties": {"meta": {"properties": {"id": {}}}, "theirs": {}}}},
    )

    for path in ("meta.dt", "meta.id", "own", "theirs"):
        assert field(path) == "declared"


async def test_alternatives_declare_nothing(asking):
    field = await asking({"anyOf": [{"properties": {"a": {}}}], "if": {"properties": {"a": {}}}})

    assert field("a") is None


async def test_a_recursive_schema_can_be_asked(asking):
    field = await asking({"properties": {"child": {"$ref": "#"}, "name": {}}})

    assert field("child.child.child.name") == "declared"


@pytest.mark.parametrize(
    "holder",
    [
        {"type": "object"},
        {"type": ["object", "null"]},
        {"additionalProperties": True},
        {"additionalProperties": {"type": "string"}, "properties": {"a": {}}},
        {"patternProperties": {"^x": {}}},
        {"patternProperties": {"^x": {}}, "additionalProperties": False},
        {"allOf": [{"type": "object"}]},
    ],
)
async def test_an_object_that_takes_any_name_is_a_map(asking, holder):
    field = await asking({"properties": {"m": holder}})

    assert field("m.user-agent") == "map"


@pytest.mark.parametrize(
    "holder",
    [
        {},
        True,
        {"type": "string"},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "additionalProperties": False},
        {"additionalProperties": False, "properties": {"a": {}}},
        {"allOf": [{"type": "object"}, {"properties": {"a": {}}}]},
        {"allOf": [{"additionalProperties": True}, {"additionalProperties": False}]},
    ],
)
async def test_any_other_object_is_none(asking, holder):
    field = await asking({"properties": {"m": holder}})

    assert field("m.user-agent") is None


async def test_until_draft_07_what_stands_beside_a_reference_declares_nothing(asking):
    def schema(draft, kept):
        return {
            "$schema": draft,
            "properties": {"o": {"$ref": f"#/{kept}/x", "properties": {"beside": {}}}},
            kept: {"x": {"properties": {"behind": {}}}},
        }

    old = await asking(schema("http://json-schema.org/draft-07/schema#", "definitions"))
    new = await asking(schema(NEWEST, "$defs"))

    assert (old("o.behind"), old("o.beside")) == ("declared", None)
    assert (new("o.behind"), new("o.beside")) == ("declared", "declared")

import pytest

from app.schemas.closure import BrokenSchema
from app.schemas.secure import check_secure


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "string", "pattern": "a"}, "has pattern and so needs maxLength"),
        ({"format": "uri"}, "has format and so needs maxLength"),
        ({"type": ["null", "string"], "format": "uri"}, "has format and so needs maxLength"),
        (
            {"patternProperties": {"^a": {}}},
            "has patternProperties and so needs propertyNames with maxLength",
        ),
        (
            {"patternProperties": {}, "propertyNames": {"pattern": "a", "minLength": 1}},
            "has patternProperties and so needs propertyNames with maxLength",
        ),
        ({"uniqueItems": True}, "has uniqueItems over objects or arrays and so needs maxItems"),
        (
            {"uniqueItems": True, "items": {"type": ["string", "object"]}},
            "has uniqueItems over objects or arrays and so needs maxItems",
        ),
        (
            {"uniqueItems": True, "items": [{"type": "string"}]},
            "has uniqueItems over objects or arrays and so needs maxItems",
        ),
    ],
)
async def test_what_takes_time_without_a_bound_is_refused(traced, schema, says):
    with pytest.raises(BrokenSchema) as caught:
        check_secure(await traced({"properties": {"a/b": schema}}))

    assert f"/test/1.0.0#/properties/a~1b {says}" in str(caught.value)
    assert "schemas.allow_insecure" in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "a", "format": "uri", "maxLength": 10},
        {"type": "number", "format": "double"},
        {"patternProperties": {"^a": {}}, "propertyNames": {"maxLength": 10}},
        {"uniqueItems": True, "maxItems": 10},
        {"uniqueItems": True, "items": {"type": "string"}},
        {"uniqueItems": True, "items": {"type": ["integer", "null"]}},
        {"uniqueItems": False},
        {"properties": {"format": {"type": "string"}, "pattern": {"type": "string"}}},
        {"enum": [{"pattern": "a"}]},
    ],
)
async def test_what_is_bounded_is_taken(traced, schema):
    check_secure(await traced({"items": schema}))


async def test_every_place_of_every_document_is_named(traced):
    closure = await traced(
        {"properties": {"a": {"pattern": "x"}, "b": {"$ref": "/b/1.0.0#/definitions/y"}}},
        others={"/b/1.0.0": {"definitions": {"x": {"format": "uri"}, "y": {"uniqueItems": True}}}},
    )

    with pytest.raises(BrokenSchema) as caught:
        check_secure(closure)

    for place in (
        "/test/1.0.0#/properties/a",
        "/b/1.0.0#/definitions/x",
        "/b/1.0.0#/definitions/y",
    ):
        assert place in str(caught.value)


async def test_a_schema_under_an_unknown_keyword_is_looked_at_if_it_is_used(traced):
    with pytest.raises(BrokenSchema, match="#/components/a has pattern"):
        check_secure(
            await traced(
                {"items": {"$ref": "#/components/a"}, "components": {"a": {"pattern": "x"}}}
            )
        )


async def test_of_very_many_places_the_first_fifty_are_named(traced):
    with pytest.raises(BrokenSchema, match=r"and 30 more") as caught:
        check_secure(await traced({"properties": {f"p{i}": {"pattern": "x"} for i in range(80)}}))

    assert str(caught.value).count("has pattern") == 50

import asyncio
import copy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import EventTooLarge, SchemaNotFound
from app.schemas.bundle import bundled
from app.schemas.closure import BrokenSchema, closure_of
from app.schemas.defaults import defaults_of
from app.schemas.drafts import DEFAULT

NEWEST = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def filling(traced):
    async def filling(document, **settings):
        return defaults_of(bundled(await traced(document, **settings)))

    return filling


async def test_a_schema_without_defaults_fills_nothing(filling):
    document = {
        "default": {"a": 1},  # nobody can lack the event itself
        "properties": {"a": {"properties": {"default": {"type": "string"}}}},
    }

    assert await filling(document) is None


@pytest.mark.parametrize(
    ("schema", "body", "filled"),
    [
        pytest.param(
            {"properties": {"a": {"default": 1}}, "required": ["a"]}, {}, {"a": 1}, id="absent"
        ),
        pytest.param({"properties": {"a": {"default": 1}}}, {"a": 2}, {"a": 2}, id="present"),
        pytest.param(
            {"properties": {"a": {"default": 1}}}, {"a": None}, {"a": None}, id="null is there"
        ),
        pytest.param({"properties": {"a": {"default": None}}}, {}, {"a": None}, id="null"),
        pytest.param(
            {"properties": {"a": {"type": "string", "default": 1}}}, {}, {"a": 1}, id="wrong type"
        ),
        pytest.param(
            {"properties": {"o": {"properties": {"a": {"default": 1}}}}},
            {"o": {}},
            {"o": {"a": 1}},
            id="inner",
        ),
        pytest.param(
            {"properties": {"o": {"properties": {"a": {"default": 1}}}}}, {}, {}, id="no parent"
        ),
        pytest.param(
            {"properties": {"o": {"default": {}, "properties": {"a": {"default": 1}}}}},
            {},
            {"o": {"a": 1}},
            id="parent by default",
        ),
        pytest.param(
            {"properties": {"l": {"items": {"properties": {"a": {"default": 1}}}}}},
            {"l": [{}, {"a": 2}, 7, {}]},
            {"l": [{"a": 1}, {"a": 2}, 7, {"a": 1}]},
            id="items",
        ),
        pytest.param(
            {"properties": {"l": {"items": [{"default": 1}, {}, {"default": 3}]}}},
            {"l": []},
            {"l": [1]},
            id="positions, without holes",
        ),
        pytest.param(
            {
                "properties": {
                    "l": {
                        "items": [{}],
                        "additionalItems": {"properties": {"a": {"default": 1}}},
                    }
                }
            },
            {"l": [{}, {}]},
            {"l": [{}, {"a": 1}]},
            id="the other items",
        ),
        pytest.param(
            {
                "$schema": NEWEST,
                "properties": {
                    "l": {
                        "prefixItems": [{"default": 1}],
                        "items": {"properties": {"a": {"default": 2}}},
                    }
                },
            },
            {"l": [{}, {}]},
            {"l": [{}, {"a": 2}]},
            id="prefixItems",
        ),
        pytest.param({"allOf": [{"properties": {"a": {"default": 1}}}]}, {}, {"a": 1}, id="allOf"),
        pytest.param(
            {
                "properties": {"a": {"default": "own"}},
                "allOf": [{"properties": {"a": {"default": "other"}, "b": {"default": "other"}}}],
            },
            {},
            {"a": "own", "b": "other"},
            id="its own first",
        ),
        pytest.param(
            {"allOf": [{"properties": {"a": {"default": one}}} for one in ("first", "second")]},
            {},
            {"a": "first"},
            id="then in order",
        ),
        pytest.param(
            {
                "properties": {"o": {"$ref": "#/definitions/x"}},
                "definitions": {"x": {"properties": {"a": {"default": 1}}}},
            },
            {"o": {}},
            {"o": {"a": 1}},
            id="$ref",
        ),
        pytest.param(
            {
                "properties": {"a": {"$ref": "#/definitions/x", "default": 1}},
                "definitions": {"x": {"type": "integer"}},
            },
            {},
            {"a": 1},
            id="beside $ref",
        ),
        pytest.param(
            {
                "properties": {
                    "o": {"$ref": "#/definitions/x", "properties": {"b": {"default": 2}}},
                    "c": {"default": 3},
                },
                "definitions": {"x": {"properties": {"a": {"default": 1}}}},
            },
            {"o": {}},
            {"o": {"a": 1}, "c": 3},
            id="what is ignored beside $ref",
        ),
        pytest.param(
            {
                "$schema": NEWEST,
                "properties": {
                    "o": {"$ref": "#/$defs/x", "properties": {"b": {"default": 2}}},
                },
                "$defs": {"x": {"properties": {"a": {"default": 1}}}},
            },
            {"o": {}},
            {"o": {"b": 2, "a": 1}},
            id="what counts beside $ref",
        ),
        pytest.param(
            {"properties": {"child": {"$ref": "#"}, "a": {"default": 1}}},
            {"child": {"child": {}}},
            {"child": {"child": {"a": 1}, "a": 1}, "a": 1},
            id="recursive",
        ),
        pytest.param(
            {"properties": {"o": {"properties": {"a": {"default": 1}}}}}, {"o": 7}, {"o": 7}, id="7"
        ),
    ],
)
async def test_defaults_are_filled(filling, schema, body, filled):
    fill = await filling(schema)

    assert fill(body) == filled


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "not", "if", "then", "else", "contains"])
async def test_keywords_that_only_ask_fill_nothing(filling, keyword):
    inner = {"properties": {"a": {"default": 1}}}
    schema = [inner] if keyword in ("anyOf", "oneOf") else inner

    assert await filling({keyword: schema}) is None


async def test_what_needs_nothing_is_returned_itself(filling):
    fill = await filling({"properties": {"o": {"properties": {"a": {"default": 1}}}}})
    body = {"o": {"a": 2}, "l": [{}]}

    assert fill(body) is body


async def test_parts_that_need_nothing_are_shared(filling):
    fill = await filling({"properties": {"a": {"default": 1}, "o": {"properties": {}}}})
    body = {"o": {"x": 1}}

    assert fill(body)["o"] is body["o"]


async def test_no_two_events_share_a_default(filling):
    fill = await filling({"properties": {"a": {"default": {"list": []}}}})

    first, second = fill({}), fill({})
    first["a"]["list"].append("mine")

    assert second == {"a": {"list": []}}
    assert fill({}) == {"a": {"list": []}}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"child": {"$ref": "#", "default": {}}}},
        {"properties": {"l": {"$ref": "#", "default": {}}, "r": {"$ref": "#", "default": {}}}},
        {"properties": {"n": {"default": {"child": {}}, "properties": {"child": {"$ref": "#"}}}}},
        {
            "items": {"$ref": "#/definitions/x"},
            "definitions": {
                "x": {"properties": {"a": {"allOf": [{"$ref": "#/definitions/x"}], "default": {}}}}
            },
        },
        {
            "properties": {
                "a": {"properties": {"b": {"default": [{}], "items": {"$ref": "#/properties/a"}}}}
            }
        },
    ],
)
async def test_a_default_that_fills_itself_is_refused(filling, schema):
    with pytest.raises(BrokenSchema, match=r"without end|brings more than"):
        await filling(schema)


async def test_a_default_that_brings_very_many_is_refused(filling):
    definitions = {
        f"d{i}": {
            "properties": {
                side: {"$ref": f"#/definitions/d{i + 1}", "default": {}} for side in "lr"
            }
        }
        for i in range(40)
    } | {"d40": {}}

    with pytest.raises(BrokenSchema, match="brings more than 1,000"):
        await filling(
            {"properties": {"a": {"$ref": "#/definitions/d0"}}, "definitions": definitions}
        )


async def test_an_event_nested_deeper_than_can_be_stored_is_left_alone_there(filling):
    fill = await filling({"properties": {"child": {"$ref": "#"}, "a": {"default": 1}}})
    body = {}
    for _ in range(200):
        body = {"child": body}

    assert fill(body)["a"] == 1


SCHEMA = {
    "properties": {
        "a": {"default": 1},
        "o": {"$ref": "#", "items": {}},
        "l": {"items": {"allOf": [{"$ref": "#"}, {"properties": {"b": {"default": {"x": []}}}}]}},
        "t": {"items": [{"default": 0}, {"$ref": "#"}]},
    }
}
BODIES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("aolbtx"), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from("aolbtx"), BODIES, max_size=4))
def test_filling_edits_nothing_adds_only_and_is_done_once(body):
    fill = filling_of_schema()
    before = copy.deepcopy(body)

    filled = fill(body)

    assert body == before
    assert fill(filled) is filled
    assert contains(filled, body)


@cache
def filling_of_schema():
    async def nowhere(uri):
        raise SchemaNotFound(uri)

    closure = asyncio.run(closure_of("/test/1.0.0", SCHEMA, DEFAULT, nowhere))
    return defaults_of(bundled(closure))


def contains(larger, smaller):
    if isinstance(smaller, dict):
        return all(contains(larger[key], value) for key, value in smaller.items())
    if isinstance(smaller, list):
        return all(contains(*pair) for pair in zip(larger, smaller, strict=False))
    return larger == smaller


async def test_defaults_that_very_many_places_share_are_refused_in_time(filling):
    """Each place would remember each of them: 20 million."""
    shared = {"allOf": [{"properties": {"x": {"default": 1}}} for _ in range(2_000)]}
    places = {f"p{i}": {"$ref": "#/definitions/shared"} for i in range(10_000)}

    with pytest.raises(BrokenSchema, match="more than 500,000 ways"):
        await filling({"definitions": {"shared": shared}, "properties": places})


@pytest.mark.timeout(20)
async def test_defaults_that_would_swell_an_event_are_not_filled_in(filling):
    many = {f"a{i}": {"default": 0} for i in range(900)}
    large = {"a": {"default": list(range(10_000))}}
    text = {"a": {"default": "x" * 500_000}}

    for properties in (many, large, text):
        document = {"properties": {"l": {"items": {"properties": properties}}}}
        fill = await filling(document)

        assert len(fill({"l": [{}]})["l"][0]) == len(properties)
        with pytest.raises(EventTooLarge, match="more than 50,000 values"):
            fill({"l": [{} for _ in range(1_000)]})

import pytest

from app.schemas.bundle import bundled
from app.schemas.closure import BrokenSchema
from app.schemas.effort import TEXT_SIZE, Effort, _measured, check_bounded

NEWEST = "https://json-schema.org/draft/2020-12/schema"


def doubled(levels):
    """A schema of a few lines that judges one value by two schemas to the power of `levels`."""
    return {
        "$ref": "#/definitions/d0",
        "definitions": {
            f"d{i}": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 2} if i < levels else {}
            for i in range(levels + 1)
        },
    }


async def test_an_exponential_schema_is_refused(traced):
    check_bounded(bundled(await traced(doubled(12))))

    with pytest.raises(BrokenSchema, match="more than 100,000 schemas"):
        check_bounded(bundled(await traced(doubled(60))))


@pytest.mark.parametrize(
    "document",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"if": {"$ref": "#"}},
        {"dependencies": {"a": {"$ref": "#"}}},
        {
            "$ref": "#/definitions/a",
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
        },
        {
            "items": {"$ref": "#/x/a"},
            "x": {"a": {"anyOf": [{"$ref": "#/x/a"}]}},
        },
    ],
)
async def test_a_schema_that_never_gets_past_one_value_is_refused(traced, document):
    with pytest.raises(BrokenSchema, match="without end"):
        check_bounded(bundled(await traced(document)))


@pytest.mark.parametrize(
    "document",
    [
        {"properties": {"child": {"$ref": "#"}}},
        {"items": {"$ref": "#"}},
        {"additionalProperties": {"anyOf": [{"$ref": "#"}, {"type": "string"}]}},
        # In draft-07 nothing counts beside $ref.
        {"$ref": "#/definitions/a", "allOf": [{"$ref": "#"}], "definitions": {"a": {}}},
    ],
)
async def test_a_recursive_schema_that_gets_deeper_into_the_value_is_taken(traced, document):
    check_bounded(bundled(await traced(document)))


async def test_each_value_counts_once_per_schema_it_meets(traced):
    bundle = bundled(
        await traced(
            {
                "properties": {"a": {"allOf": [{}, {}]}},
                "patternProperties": {"^x": {}},
                "additionalProperties": {},
                "propertyNames": {},
            }
        )
    )

    assert Effort(bundle).within({"a": 1}, 20)
    assert not Effort(bundle).within({"a": 1}, 5)


async def test_a_large_value_that_no_schema_looks_at_counts_too(traced):
    bundle = bundled(await traced({"required": ["a"]}))

    assert Effort(bundle).within({"x": [[0]] * 400}, 1000)
    assert not Effort(bundle).within({"x": [[0]] * 600}, 1000)


@pytest.mark.parametrize(
    "keyword", ["items", "contains", "additionalItems", "unevaluatedItems", "prefixItems"]
)
async def test_items_count(traced, keyword):
    schema = [{"not": {}}] * 50 if keyword == "prefixItems" else {"not": {"not": {}}}
    bundle = bundled(await traced({keyword: schema}))

    assert Effort(bundle).within([0] * 50, 300)
    assert not Effort(bundle).within([0] * 50, 120)


async def test_many_alternatives_at_every_level_multiply(traced):
    bundle = bundled(await traced({"properties": {"a": {"oneOf": [{"$ref": "#"}, {"$ref": "#"}]}}}))
    body = {}
    for _ in range(60):
        body = {"a": body}

    assert not Effort(bundle).within(body, 5000)


@pytest.mark.parametrize(
    "schema",
    [
        {"required": [f"n{i}" for i in range(20)]},
        {"dependencies": {"here": [f"n{i}" for i in range(20)]}},
        {"$schema": NEWEST, "dependentRequired": {"here": [f"n{i}" for i in range(20)]}},
    ],
)
async def test_each_property_that_is_missing_counts(traced, schema):
    bundle = bundled(await traced({**schema, "properties": {"here": {}}}))
    full = {f"n{i}": 1 for i in range(20)}

    assert Effort(bundle).within({"here": 1} | full, 45)
    assert Effort(bundle).within({"here": 1}, 30)
    assert not Effort(bundle).within({"here": 1}, 20)


async def test_every_fault_counts_the_copy_of_what_it_is_about(traced):
    document = {"properties": {"a": {"allOf": [{"maxItems": 1}, {"maxLength": 1}] * 50}}}
    bundle = bundled(await traced(document))

    assert Effort(bundle).within({"a": [0] * 10}, 1000)
    assert not Effort(bundle).within({"a": [[0] * 30] * 20}, 1000)
    assert Effort(bundle).within({"a": "x" * 1_000}, 1000)
    assert not Effort(bundle).within({"a": "x" * 1_000_000}, 1000)


def test_sizes_are_counted_from_within():
    inner = [1, 2, {"x": "y" * (3 * TEXT_SIZE)}]
    body = {"a": inner, "b": {}}
    sizes = {}

    assert _measured(body, 10, sizes)
    assert sizes[id(inner)] == 1 + 1 + 1 + 1 + 4
    assert sizes[id(body)] == 1 + 8 + 1


async def test_a_small_event_of_a_plain_schema_is_known_to_be_cheap_without_a_walk(traced):
    plain = {"properties": {"a": {"items": {"required": ["x", "y"]}}}, "required": ["a"]}
    bundle = bundled(await traced(plain))
    lacking = {"a": [{}] * 20}

    assert Effort(bundle).within(lacking, 120)
    assert not Effort(bundle).within(lacking, 40)


@pytest.mark.parametrize("size", range(1, 40, 3))
async def test_the_short_cut_never_promises_more_than_the_walk(traced, size):
    schema = {
        "properties": {"a": {"items": {"required": ["x", "y"], "properties": {"z": {}}}}},
        "required": ["a"],
        "additionalProperties": {"items": {}},
    }
    walked = bundled(await traced({**schema, "patternProperties": {"^never$": {}}}))
    plain = bundled(await traced(schema))
    body = {"a": [{"z": [size]}] * size, "b": ["x" * 5_000] * size}

    for limit in range(0, 1_000, 20):
        if Effort(plain).within(body, limit):
            assert Effort(walked).within(body, limit * 2)

import itertools
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import SchemaViolation
from app.core.json import escaped

NEWEST = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def explained(compiled):
    """Return the violations of a body."""

    async def explained(document, body, **settings):
        schema = await compiled(document, **settings)
        with pytest.raises(SchemaViolation) as caught:
            schema.validate(body)
        assert orjson.dumps([(v.message, v.expected, v.got, v.hint, v.params) for v in
                             caught.value.violations])  # fmt: skip
        return list(caught.value.violations)

    return explained


async def test_a_violation_says_where_in_the_event_and_in_the_schema(explained):
    (violation,) = await explained(
        {"properties": {"a/b": {"items": {"type": "number"}}}}, {"a/b": [1, "2"]}
    )

    assert violation.pointer == "/a~1b/1"
    assert violation.schema_pointer == "#/properties/a~1b/items/type"
    assert violation.keyword == "type"
    assert violation.message == "should be number"
    assert violation.expected == "number"
    assert violation.got == '"2"'
    assert violation.hint == "Send it without quotes: 2."
    assert violation.params == {"type": "number"}


@pytest.mark.parametrize("name", ["0", "7", "007", "+1", "0" * 5_000 + "7", "-1", "1e3"])
async def test_a_property_whose_name_is_a_number_is_told_by_its_name(explained, name):
    text = {"type": "string"}
    schema = {"additionalProperties": {"type": "object", "additionalProperties": text}}

    (violation,) = await explained(schema, {"b": {"a": "", name: 1}})

    assert violation.pointer == f"/b/{name}"
    assert violation.got == "1"


NAMES = st.sampled_from(["", "0", "00", "+0", "1", "a", "/", "~0"])
TREES = st.recursive(
    st.sampled_from(["text", None]), lambda inner: st.dictionaries(NAMES, inner), max_leaves=12
)


def numbered(tree, count, path=""):
    """Put a number of its own for each None; yield the pointers of these."""
    for name, inner in tree.items():
        pointer = f"{path}/{escaped(name)}"
        if inner is None:
            tree[name] = next(count)
            yield pointer
        elif isinstance(inner, dict):
            yield from numbered(inner, count, pointer)


async def test_faults_are_found_under_names_that_the_validator_does_not_tell(compiled):
    node = {"type": ["object", "string"], "additionalProperties": {"$ref": "#/definitions/node"}}
    schema = await compiled({"definitions": {"node": node}, **node})

    faults_are_found(schema)


@given(tree=TREES.filter(lambda tree: isinstance(tree, dict)))
def faults_are_found(schema, tree):
    pointers = sorted(numbered(tree, itertools.count()))

    try:
        schema.validate(tree)
        told = []
    except SchemaViolation as error:
        told = sorted(violation.pointer for violation in error.violations)

    assert told == pointers


async def test_what_is_missing_is_told_at_the_object_that_lacks_it(explained):
    (violation,) = await explained({"properties": {"o": {"required": ["x"]}}}, {"o": {}})

    assert violation.pointer == "/o"
    assert violation.message == "should have required property 'x'"
    assert violation.got == "nothing"


async def test_each_additional_property_is_told_with_the_name_it_may_have_meant(explained):
    violations = await explained(
        {
            "properties": {"o": {"$ref": "/b/1.0.0"}},
        },
        {"o": {"colour": 1, "zzz": 1}},
        others={"/b/1.0.0": {"properties": {"color": {}}, "additionalProperties": False}},
    )

    assert [v.params["additionalProperty"] for v in violations] == ["colour", "zzz"]
    assert violations[0].hint.startswith("Did you mean color?")
    assert violations[0].pointer == "/o"
    assert violations[0].got == 'the property "colour"'


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"format": "date"}, "#/properties/d/format"),
        ({"format": "date", "pattern": "x|^[^x]*$"}, "#/properties/d/format"),
        ({"allOf": [{"format": "date"}]}, "#/properties/d/allOf/0/format"),
        (
            {"pattern": "o", "allOf": [{"format": "date", "pattern": "t"}]},
            "#/properties/d/allOf/0/format",
        ),
    ],
)
async def test_a_broken_format_is_told_as_a_format(explained, schema, pointer):
    (violation,) = await explained({"properties": {"d": schema}}, {"d": "today"})

    assert violation.keyword == "format"
    assert violation.message == 'should match format "date"'
    assert violation.params == {"format": "date"}
    assert violation.schema_pointer == pointer


async def test_a_broken_pattern_is_told_as_a_pattern(explained):
    (violation,) = await explained({"properties": {"p": {"pattern": "^a"}}}, {"p": "b"})

    assert violation.keyword == "pattern"
    assert violation.params == {"pattern": "^a"}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
async def test_of_alternatives_the_closest_is_told(explained, keyword):
    (violation,) = await explained(
        {
            "properties": {
                "a": {
                    keyword: [
                        {"type": "string"},
                        {"properties": {"b": {"properties": {"c": {"type": "integer"}}}}},
                    ]
                }
            }
        },
        {"a": {"b": {"c": "x"}}},
    )

    assert violation.keyword == keyword
    assert violation.pointer == "/a"
    assert violation.got == "an object with 1 properties"
    assert violation.hint == "The alternative that comes closest says: '/a/b/c' should be integer."


async def test_of_alternatives_that_all_fit_none_is_closest(explained):
    (violation,) = await explained({"properties": {"a": {"oneOf": [{}, {}]}}}, {"a": 1})

    assert violation.hint == "Send a value that exactly one of the alternatives allows."


async def test_a_property_that_another_calls_for_is_told_as_a_dependency(explained):
    (old,) = await explained({"dependencies": {"a": ["b"]}}, {"a": 1})
    (new,) = await explained({"$schema": NEWEST, "dependentRequired": {"a": ["b"]}}, {"a": 1})

    assert (old.keyword, new.keyword) == ("dependencies", "dependentRequired")
    assert old.message == new.message == "should have required property 'b'"


async def test_a_name_that_is_not_allowed_is_told(explained):
    (violation,) = await explained(
        {"properties": {"m": {"propertyNames": {"pattern": "^[a-z]+$"}}}}, {"m": {"A": 1}}
    )

    assert violation.keyword == "propertyNames"
    assert violation.pointer == "/m"
    assert violation.params == {"propertyName": "A"}


async def test_violations_are_in_the_order_of_the_event(explained):
    schema = {
        "properties": {
            "a": {"type": "string"},
            "b": {"items": {"type": "string"}},
            "c": {"type": "string"},
        },
        "required": ["d"],
        "allOf": [{"properties": {"z": {"type": "string"}}}],
    }

    violations = await explained(schema, {"z": 1, "c": 1, "b": list(range(12)), "a": 1})

    assert [v.pointer for v in violations] == [
        "",
        "/z",
        "/c",
        *(f"/b/{index}" for index in range(12)),
        "/a",
    ]


async def test_at_most_fifty_are_told(explained):
    assert len(await explained({"properties": {"l": {"items": {"type": "null"}}}},
                               {"l": [0] * 1000})) == 50  # fmt: skip


async def test_nothing_of_the_event_is_told_at_length(explained):
    secret = "s" * 1_000_000
    violations = await explained(
        {
            "properties": {"a": {"type": "null"}, "o": {"additionalProperties": False}},
            "propertyNames": {"maxLength": 10},
            "allOf": [{"not": {}}],
        },
        {"a": secret, "o": {secret: 1}, secret: {}},
    )

    assert len(violations) == 4
    for violation in violations:
        assert len(violation.got) <= 120
        assert len(violation.message) + len(violation.expected) + len(violation.hint) < 1500


async def test_of_an_event_with_very_many_faults_the_first_is_told_at_once(explained):
    """Listing a fault costs the validator microseconds and kilobytes, and it lists them all."""
    body = {"l": [0] * 200_000}
    started = time.perf_counter()

    (violation,) = await explained({"properties": {"l": {"items": {"type": "null"}}}}, body)

    assert violation.pointer == "/l/0"
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "inner",
    [
        {"oneOf": [{"$ref": "#"}, {"required": ["x"], "allOf": [{"$ref": "#"}]}]},
        {"allOf": [{"$ref": "#"}, {"type": "object", "allOf": [{"$ref": "#"}]}]},
        {"anyOf": [{"$ref": "#"}, {"type": "array"}, {"not": {"not": {"$ref": "#"}}}]},
    ],
)
async def test_a_recursive_schema_cannot_be_made_to_list_faults_without_end(explained, inner):
    """Twenty levels, a hundred bytes: listed in full, they cost minutes and gigabytes."""
    body = 1
    for _ in range(60):
        body = {"a": body}
    started = time.perf_counter()

    (violation,) = await explained({"type": "object", "properties": {"a": inner}}, body)

    assert violation.keyword == "schema"
    assert violation.pointer == ""
    assert time.perf_counter() - started < 1


async def test_below_a_meta_schema_nothing_is_suggested(explained):
    violations = await explained(
        {"properties": {"s": {"$ref": "http://json-schema.org/draft-07/schema#"}}},
        {"s": {"type": "nope", "required": "x"}},
    )

    assert {v.pointer for v in violations} == {"/s/type", "/s/required"}


@pytest.mark.parametrize("name", ["dependencies", "dependentRequired"])
async def test_a_property_may_be_named_like_a_keyword(explained, name):
    (violation,) = await explained({"properties": {name: {"required": ["x"]}}}, {name: {}})

    assert violation.keyword == "required"


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (
            {"type": "integer"},
            "x",
            ("should be integer", "integer", '"x"', "Send an integer, without quotes."),
        ),
        (
            {"enum": ["red", "green"]},
            "gren",
            (
                "should be equal to one of the allowed values",
                'one of "red", "green"',
                '"gren"',
                "Did you mean green?",
            ),
        ),
        ({"const": 1}, 2, ("should be equal to constant", "1", "2", "Send exactly 1.")),
        (
            {"minimum": 3},
            2,
            ("should be >= 3", "a number >= 3", "2", "The number must be at least 3."),
        ),
        (
            {"exclusiveMaximum": 3},
            3,
            ("should be < 3", "a number < 3", "3", "The number must be less than 3."),
        ),
        (
            {"multipleOf": 2},
            3,
            ("should be multiple of 2", "a multiple of 2", "3", "Send a multiple of 2."),
        ),
        (
            {"minLength": 2},
            "a",
            (
                "should NOT be shorter than 2 characters",
                "at least 2 characters",
                '"a"',
                "Send at least 2 characters.",
            ),
        ),
        (
            {"maxItems": 1},
            [1, 2],
            (
                "should NOT have more than 1 items",
                "at most 1 items",
                "an array with 2 items",
                "Send at most 1 items.",
            ),
        ),
        (
            {"maxProperties": 1},
            {"a": 1, "b": 2},
            (
                "should NOT have more than 1 properties",
                "at most 1 properties",
                "an object with 2 properties",
                "Send at most 1 properties.",
            ),
        ),
        (
            {"uniqueItems": True},
            [1, 1],
            (
                "should NOT have duplicate items",
                "items that all differ",
                "an array with 2 items",
                "Send each item once.",
            ),
        ),
        (
            {"contains": {"type": "string"}},
            [1],
            (
                "should contain a valid item",
                "an item that the schema asks for",
                "an array with 1 items",
                "Add the item that the schema asks for.",
            ),
        ),
        (
            {"not": {}},
            1,
            (
                "should NOT be valid",
                "anything but what the schema excludes",
                "1",
                "Send another value; the schema excludes this one.",
            ),
        ),
        (
            False,
            1,
            (
                "boolean schema is false",
                "nothing here",
                "1",
                "Leave it out; the schema allows no value here.",
            ),
        ),
    ],
)
async def test_each_keyword_tells_what_was_expected_what_was_found_and_what_to_do(
    explained, schema, value, said
):
    (violation,) = await explained({"properties": {"v": schema}}, {"v": value})

    assert violation.pointer == "/v"
    assert (violation.message, violation.expected, violation.got, violation.hint) == said


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"required": [f"n{i}" for i in range(1_000)]}}, [{}] * 300),
        ({"dependencies": {f"k{i}": [f"n{j}" for j in range(50)] for i in range(1_000)}},
         {f"k{i}": 1 for i in range(1_000)}),
        ({"allOf": [{"maxItems": 1}] * 1_000}, list(range(3_900))),
        ({"allOf": [{"maxLength": 1}] * 1_000}, "x" * 1_000_000),
    ],
)  # fmt: skip
async def test_a_small_event_cannot_have_a_million_faults_or_large_ones(explained, schema, value):
    """Listed, they would take seconds and gigabytes, up to the end of the process."""
    before = time.process_time()

    violations = await explained({"properties": {"a": schema}}, {"a": value})

    assert len(violations) == 1
    assert violations[0].pointer.startswith("/a")
    assert time.process_time() - before < 1

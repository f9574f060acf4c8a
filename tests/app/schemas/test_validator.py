import copy
import time
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import MalformedEvent, SchemaViolation
from app.schemas.closure import BrokenSchema


async def test_a_schema_knows_itself(compiled):
    document = {"$id": "/test/1.0.0", "title": "test", "properties": {"a": {"format": "date"}}}
    before = copy.deepcopy(document)

    schema = await compiled(document)

    assert schema.uri == "/test/1.0.0"
    assert schema.title == "test"
    assert schema.document is document
    assert document == before


async def test_a_schema_may_have_no_title(compiled):
    assert (await compiled({"type": "object"})).title is None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"type": "nope"}, r"#/type"),
        ({"properties": {"a": {"minLength": "x"}}}, r"#/properties/a/minLength"),
        ({"required": "a"}, "#/required"),
        ({"items": {"$ref": 7}}, "at #/items: "),
        ({"title": 7}, "#/title"),
        ({"properties": {"p": {"pattern": "(?=a)b"}}}, "without look-around"),
        ({"properties": {"p": {"pattern": "(a)\\1"}}}, "without look-around"),
        ({"properties": {"p": {"pattern": "(a{1000}){1000}"}}}, "more than 10,000 positions"),
        ({"properties": {"p": {"pattern": r"(\p{L}{1,300}){3}"}}}, "of modest size"),
        ({"patternProperties": {"(": {}}}, "regex"),
        ({"required": ["\ud800"]}, "surrogates not allowed"),
        ({"properties": {"l": {"$ref": "#", "default": {}}}}, "fills itself"),
        ({"$ref": "#"}, "without end"),
    ],
)
async def test_a_broken_schema_is_refused_with_the_reason(compiled, document, says):
    with pytest.raises(BrokenSchema, match=says):
        await compiled(document)


async def test_a_chain_of_very_many_references_is_refused(compiled):
    definitions = {f"d{i}": {"$ref": f"#/definitions/d{i + 1}"} for i in range(15_000)}

    with pytest.raises(BrokenSchema, match="nested too deeply"):
        await compiled({"$ref": "#/definitions/d0", "definitions": definitions | {"d15000": {}}})


@pytest.mark.parametrize(
    ("draft", "schema", "values"),
    [
        ("draft-04/schema#", {"minimum": 1, "exclusiveMinimum": True}, (2, 1)),
        ("draft-06/schema#", {"exclusiveMinimum": 1}, (2, 1)),
        ("draft-07/schema", {"if": {"minimum": 5}, "then": {"multipleOf": 2}}, (6, 7)),
        ("draft/2019-09/schema", {"minContains": 2, "contains": {}}, ([1, 2], [1])),
        ("draft/2020-12/schema#", {"prefixItems": [{"type": "null"}]}, ([None], [1])),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_each_draft_keeps_its_meaning(compiled, draft, schema, values, scheme):
    good, bad = values
    made = await compiled(
        {"$schema": f"{scheme}://json-schema.org/{draft}", "properties": {"a": schema}}
    )

    made.validate({"a": good})
    with pytest.raises(SchemaViolation):
        made.validate({"a": bad})


async def test_patterns_mean_what_ecmascript_means(compiled):
    schema = await compiled(
        {
            "properties": {
                "end": {"pattern": "^a$"},
                "digit": {"pattern": "^\\d$"},
                "word": {"pattern": "^\\w$"},
                "part": {"pattern": "b"},
            }
        }
    )

    schema.validate({"end": "a", "digit": "7", "word": "_", "part": "abc"})
    for body in ({"end": "a\n"}, {"digit": "\u0667"}, {"word": "é"}, {"part": "x"}):
        with pytest.raises(SchemaViolation):
            schema.validate(body)


async def test_a_pattern_that_backtracks_elsewhere_takes_no_time(compiled):
    schema = await compiled({"properties": {"a": {"pattern": "^(a+)+$"}}})

    with pytest.raises(SchemaViolation):
        schema.validate({"a": "a" * 100_000 + "!"})


async def test_lengths_are_in_characters_and_whole_numbers_may_have_a_point(compiled):
    schema = await compiled({"properties": {"s": {"maxLength": 1}, "i": {"type": "integer"}}})

    schema.validate({"s": "😀", "i": 1.0})


async def test_formats_without_a_pattern_are_not_checked(compiled):
    schema = await compiled({"properties": {"a": {"format": "regex"}, "b": {"format": "iri"}}})

    schema.validate({"a": "(", "b": " "})


@pytest.mark.parametrize("depth", [256, 2_000])
async def test_an_event_too_deep_to_be_judged_is_malformed(compiled, depth):
    schema = await compiled({"properties": {"a": {"type": "string"}}})
    body = {}
    for _ in range(depth):
        body = {"a": body}

    with pytest.raises(MalformedEvent, match="cannot be judged"):
        schema.validate(body)


async def test_an_event_that_is_no_unicode_is_malformed(compiled):
    schema = await compiled({"properties": {"a": {"enum": ["x"]}}})

    with pytest.raises(MalformedEvent, match="cannot be judged"):
        schema.validate({"a": "\ud800"})


async def test_defaults_and_fields_are_those_of_the_schema(compiled):
    schema = await compiled({"properties": {"a": {"default": 1}, "m": {"type": "object"}}})
    plain = await compiled({"properties": {"a": {}}})
    body = {}

    assert schema.with_defaults(body) == {"a": 1}
    assert plain.with_defaults(body) is body
    assert (schema.field("a"), schema.field("m.x"), schema.field("b")) == ("declared", "map", None)


async def test_a_default_is_judged_like_anything_else(compiled):
    schema = await compiled({"properties": {"a": {"type": "string", "default": 1}}})

    with pytest.raises(SchemaViolation):
        schema.validate(schema.with_defaults({}))


EVERYTHING = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": ["string", "integer", "object"], "maxLength": 2, "minimum": 1},
        "b": {"anyOf": [{"type": "array"}, {"properties": {"a": {"$ref": "#"}}}]},
        "c": {"oneOf": [{"type": "integer"}, {"minimum": 3}, {"required": ["b"]}]},
        "d": {"items": {"$ref": "#/definitions/x"}, "uniqueItems": True, "minItems": 1},
        "e": {"not": {"type": "string"}, "enum": [1, "a", None, {}]},
        "f": {"if": {"type": "string"}, "then": {"pattern": "^a"}, "else": {"const": 1}},
        "g": {"contains": {"type": "null"}},
        "h": {"items": [{"type": "integer"}], "additionalItems": False},
    },
    "patternProperties": {"^[ij]$": {"type": "boolean"}},
    "propertyNames": {"maxLength": 1},
    "additionalProperties": {"type": "null"},
    "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
    "maxProperties": 5,
    "definitions": {"x": {"multipleOf": 2, "type": "integer"}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.sampled_from(["", "a", "b", "aaa", 1.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abcdefghijkl"), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def reference():
    return jsonschema.Draft7Validator(EVERYTHING)


async def test_verdicts_are_those_of_the_reference_and_every_fault_can_be_told(compiled, reference):
    schema = await compiled(EVERYTHING)

    @settings(max_examples=500, deadline=None)
    @given(st.dictionaries(st.sampled_from([*"abcdefghijkl", "mm"]), VALUES, max_size=6))
    def judge(body):
        if reference.is_valid(body):
            schema.validate(body)
            return
        with pytest.raises(SchemaViolation) as caught:
            schema.validate(body)
        violations = caught.value.violations
        assert 1 <= len(violations) <= 50
        assert all(v.message and v.expected and v.got and v.hint for v in violations)
        assert orjson.dumps([(v.pointer, v.schema_pointer, v.params) for v in violations])

    judge()


async def test_a_schema_of_very_many_parts_is_ready_in_time(compiled):
    node = {"type": "object", "properties": {"x": {"$ref": "#/definitions/n"}}}
    parts = {f"p{i}": node for i in range(9_990)}
    before = time.process_time()

    schema = await compiled(
        {"definitions": {"n": {"type": "integer", "default": 1}}, "properties": parts}
    )

    assert time.process_time() - before < 2
    with pytest.raises(SchemaViolation, match="'/p9989/x' should be integer"):
        schema.validate({"p9989": {"x": "1"}})


async def test_a_schema_is_used_by_many_threads_at_once(compiled):
    schema = await compiled(
        {
            "$ref": "#/definitions/n",
            "definitions": {
                "n": {"properties": {"n": {"$ref": "#/definitions/n"}, "v": {"type": "integer"}}}
            },
        }
    )

    def use(count):
        schema.validate({"n": {"v": count}})
        with pytest.raises(SchemaViolation) as caught:
            schema.validate({"n": {"v": str(count)}})
        return caught.value.violations[0].got, schema.field(f"n.v{count}"), schema.field("n.n.v")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(use, range(400)))

    assert answers == [(f'"{count}"', None, "declared") for count in range(400)]

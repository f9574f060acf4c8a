import time

import pytest

from app.core.errors import EventTooLarge
from app.schemas.bundle import bundled
from app.schemas.closure import BrokenSchema
from app.schemas.price import BUDGET, CHARACTERS_BUDGET, Price, price_of


@pytest.fixture
def priced(traced):
    """Return the price of a document."""

    async def priced(document):
        return price_of(bundled(await traced(document)))

    return priced


def chain(levels, width, inner):
    """A schema whose array items are judged `width` times as often at each level."""
    definitions = {
        f"d{i}": {"items": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * width}}
        for i in range(levels)
    }
    definitions[f"d{levels}"] = inner
    return {"$ref": "#/definitions/d0", "definitions": definitions}


@pytest.mark.parametrize(
    ("document", "value", "character"),
    [
        ({}, 1, 1),
        ({"properties": {"a": {"type": "string"}, "b": {}}}, 2, 1),
        ({"properties": {"a": {"properties": {"b": {}}}}}, 3, 1),
        ({"allOf": [{}, {}, {}]}, 4, 1),
        ({"items": {"anyOf": [{}] * 9}}, 11, 1),
        ({"items": {}, "contains": {}}, 3, 1),
        ({"properties": {"a": {}}, "patternProperties": {"a{10}": {}, "b": {}}}, 6, 11),
        ({"properties": {"a": {"pattern": "a{30}"}, "b": {"pattern": "b{40}"}}}, 2, 40),
        ({"allOf": [{"pattern": "a{30}"}, {"pattern": "b{40}"}]}, 3, 70),
        ({"enum": ["a", 1, {}, []]}, 3, 1),
        ({"multipleOf": 0.01}, 401, 1),
        ({"multipleOf": 2.0}, 1, 1),
        ({"required": [str(i) for i in range(100)]}, 11, 1),
        ({"properties": {"child": {"$ref": "#"}}}, 3, 1),
        ({"$ref": "#/definitions/a", "allOf": [{}] * 9, "definitions": {"a": {}}}, 2, 1),
    ],
)
async def test_a_price_counts_what_may_judge_one_value(priced, document, value, character):
    assert await priced(document) == Price(value, character)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (chain(20, 2, {}), "more than 100,000 times"),
        (chain(4, 30, {}), "more than 100,000 times"),
        ({"enum": [{"a": i} for i in range(100_001)]}, "more than 100,000 times"),
        ({"pattern": "(a{1,500}){1,20}b"}, "more than 10,000 positions"),
        ({"allOf": [{"pattern": "a{200}"}] * 51}, "more than 10,000 positions"),
        ({"patternProperties": {f"{i}a{{200}}": {} for i in range(51)}}, "10,000 positions"),
    ],
)
async def test_a_schema_beyond_what_any_event_can_pay_is_refused(priced, document, says):
    with pytest.raises(BrokenSchema, match=says):
        await priced(document)


@pytest.mark.parametrize("price", [Price(20, 50), Price(1, 1)])
def test_an_ordinary_price_is_cheap(price):
    assert price.is_cheap


@pytest.mark.parametrize("price", [Price(21, 1), Price(1, 51)])
def test_another_is_not(price):
    assert not price.is_cheap


def test_an_event_may_have_as_many_values_and_characters_as_the_budget_pays():
    price = Price(400, 2_000)
    values, characters = BUDGET // 400, CHARACTERS_BUDGET // 2_000

    price.check([0] * values)
    price.check({"a": "x" * (characters - 1)})
    with pytest.raises(EventTooLarge, match="more than 10,000 values"):
        price.check([[0] * values])
    with pytest.raises(EventTooLarge, match="more than 10,000 characters"):
        price.check({"a": "x" * characters})
    with pytest.raises(EventTooLarge, match="more than 10,000 characters"):
        price.check({"a" * (characters + 1): 0})


def largest(schema, item):
    """The largest array of an item that a schema's budget pays."""
    price = schema._dear
    size = len(item) if isinstance(item, str) else 0
    values = BUDGET // price.value - 2
    return {"l": [item] * min(values, (CHARACTERS_BUDGET // price.character - 10) // (size or 1))}


@pytest.mark.parametrize(
    ("items", "item"),
    [
        ({"anyOf": [{"const": i} for i in range(1_000)]}, 999),
        ({"oneOf": [{"minimum": 1_000 - i} for i in range(1_000)]}, 1),
        ({"enum": [{"a": i} for i in range(2_000)]}, {"a": 1_999}),
        ({"multipleOf": 1e-300}, 1e300),
        ({"pattern": "(a{1,200}){1,20}b"}, "a" * 10_000),
        ({"pattern": "^(a{1,10}){1,10}$"}, "a" * 10_000),
        ({"items": {"items": {"allOf": [{"minimum": 0}] * 1_000}}}, [[1]]),
    ],
)
@pytest.mark.timeout(60)
async def test_the_dearest_event_that_is_judged_takes_no_seconds(compiled, items, item):
    schema = await compiled({"properties": {"l": {"items": items}}})
    event = largest(schema, item)
    started = time.process_time()

    schema.is_valid(event)

    assert time.process_time() - started < 3

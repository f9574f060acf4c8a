"""Schemas that would take for ever, and events that make the most of those that do not."""

import json
import time

import pytest

SECONDS = 2.0
"""What one event may cost on a slow machine, of CPU time; each took a fifth of a second on ours."""


def bounded(**more):
    return {"title": "any", "properties": {"x": more}}


def chain(length, width):
    definitions = {
        f"d{n}": {"allOf": [{"$ref": f"#/definitions/d{n + 1}"}] * width} for n in range(length)
    }
    return {"definitions": definitions | {f"d{length}": {"type": "integer"}}}


@pytest.fixture
def serving_schemas(serving, tmp_path):
    """Serve one stream with schemas of these documents, by their names."""

    def serving_schemas(**documents):
        for name, document in documents.items():
            folder = tmp_path / "schemas" / name
            folder.mkdir(parents=True)
            (folder / "1.0.0.json").write_text(json.dumps(document))
        (tmp_path / "streams.yaml").write_text("any: {schema_title: any}")
        return serving(
            schemas={"base_uris": [str(tmp_path / "schemas")]},
            streams={"uri": str(tmp_path / "streams.yaml")},
        )

    return serving_schemas


async def told(client, name, **fields):
    """Post an event; return its answer and the seconds that it took."""
    event = {"$schema": f"/{name}/1.0.0", "meta": {"stream": "any"}} | fields
    started = time.process_time()
    answer = await client.post("/v1/events", json=event)
    return answer, time.process_time() - started


BOMBS = {
    "exponential": (
        {"title": "any", **chain(20, 10), "$ref": "#/definitions/d0"},
        "judges one value by more than 100,000 schemas",
    ),
    "exponential_inside": (
        {"title": "any", **chain(20, 2), "properties": {"x": {"$ref": "#/definitions/d0"}}},
        "judges one value by more than 100,000 schemas",
    ),
    "itself": ({"title": "any", "$ref": "#"}, "refers to itself"),
    "a_circle": (
        {
            "title": "any",
            "definitions": {
                "a": {"anyOf": [{"$ref": "#/definitions/b"}]},
                "b": {"not": {"$ref": "#/definitions/a"}},
            },
            "properties": {"x": {"$ref": "#/definitions/a"}},
        },
        "refers to itself",
    ),
    "deep": (json.loads('{"not":' * 300 + "{}" + "}" * 300), "nested more than"),
    "unbounded_pattern": (bounded(type="string", pattern="^(a+)+$"), "needs maxLength"),
    "unbounded_unique": (
        bounded(type="array", uniqueItems=True, items={"type": "object"}),
        "needs maxItems",
    ),
    "look_around": (
        bounded(type="string", maxLength=99, pattern="(?=a)(?!b)\\1"),
        "without look-around",
    ),
    "huge_pattern": (
        bounded(type="string", maxLength=99, pattern="(([a-z]{1,99}){1,99}){1,99}"),
        "repetitions written out",
    ),
}


@pytest.mark.parametrize(("document", "says"), BOMBS.values(), ids=BOMBS)
async def test_a_schema_over_budget_is_refused_with_its_reason(serving_schemas, document, says):
    async with serving_schemas(bomb=document, fine=bounded(type="integer")) as client:
        refused, took = await told(client, "bomb", x=1)
        fine, _ = await told(client, "fine", x=1)

    assert refused.status_code == 503
    (entry,) = refused.json()["error"]
    assert entry["reason"] == "schema_unusable"
    assert says in refused.text
    assert took < SECONDS
    assert fine.status_code == 201


ITEMS = {
    "numbers": list(range(100_000)),
    "texts": [f"s{n}" for n in range(80_000)],
    "objects": [{"a": n} for n in range(60_000)],
    "arrays": [[[n]] for n in range(70_000)],
}


@pytest.mark.parametrize("items", ITEMS.values(), ids=ITEMS)
async def test_that_very_many_items_differ_is_seen_in_time(serving_schemas, items):
    document = bounded(type="array", uniqueItems=True, maxItems=100_001)
    async with serving_schemas(unique=document) as client:
        unique, took = await told(client, "unique", x=items)
        double, took_double = await told(client, "unique", x=[*items, items[0]])

    assert unique.status_code == 201
    assert double.status_code == 400
    assert double.json()["invalid"][0]["reason"] == "schema_violation"
    assert max(took, took_double) < SECONDS


@pytest.mark.parametrize(
    ("options", "member", "other"),
    [
        (list(range(100_000)), 99_999, -1),
        ([f"s{n}" for n in range(60_000)], "s59999", "s"),
        ([{"a": n} for n in range(40_000)], {"a": 39_999}, {"a": -1}),
    ],
    ids=["numbers", "texts", "objects"],
)
async def test_a_huge_enum_is_searched_in_time(serving_schemas, options, member, other):
    async with serving_schemas(enum=bounded(enum=options)) as client:
        await told(client, "enum", x=member)
        taken, took = await told(client, "enum", x=member)
        refused, took_refused = await told(client, "enum", x=other)

    assert taken.status_code == 201
    assert refused.status_code == 400
    # Nor is all of it repeated to the sender.
    assert len(refused.content) < 20_000
    assert max(took, took_refused) < SECONDS


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|aa)+$", "(x+x+)+y", "^(\\w+\\s?)*$", "a.*a.*b"]
)
async def test_no_pattern_backtracks(serving_schemas, pattern):
    document = bounded(type="string", maxLength=1_000_000, pattern=pattern)
    async with serving_schemas(pattern=document) as client:
        times = []
        for text in ("a" * 900_000 + "!", "x" * 900_000 + "!"):
            answer, took = await told(client, "pattern", x=text)
            times.append(took)
            assert answer.status_code == 400

    assert max(times) < SECONDS


async def test_a_recursive_schema_judges_a_wide_event_in_time(serving_schemas):
    tree = {"title": "any", "properties": {"c": {"type": "array", "items": {"$ref": "#"}}}}
    twice = {
        "title": "any",
        "properties": {"c": {"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}},
    }
    deep = json.loads('{"c": [' * 25 + "]}" * 25)
    async with serving_schemas(tree=tree, twice=twice) as client:
        wide, took_wide = await told(client, "tree", c=[{"c": []}] * 50_000)
        nested, took_nested = await told(client, "twice", **deep)

    assert (wide.status_code, nested.status_code) == (201, 201)
    assert max(took_wide, took_nested) < SECONDS

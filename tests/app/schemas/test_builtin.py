"""The schema of error events, which comes with the service."""

import pytest

from app.core.errors import SchemaViolation

URI = "/sluiceway/error/1.0.0"
LEAST = {
    "$schema": URI,
    "meta": {"stream": "sluiceway.error"},
    "dt": "2024-02-03T04:05:06.789Z",
    "emitter_id": "sluiceway",
    "message": "No stream no.such.stream is configured.",
}


@pytest.fixture
async def schema(folder, opened):
    return await (await opened(folder.path)).get(URI)


async def test_it_has_its_title_and_passes_the_secure_rule(schema):
    assert schema.title == "sluiceway/error"
    assert schema.document["$schema"] == "https://json-schema.org/draft-07/schema#"
    assert schema.document["$id"] == URI


async def test_its_example_and_the_least_event_follow_it(schema):
    for event in [*schema.document["examples"], LEAST]:
        schema.validate(event)


@pytest.mark.parametrize("name", LEAST)
async def test_each_of_the_least_fields_is_required(schema, name):
    event = {key: value for key, value in LEAST.items() if key != name}

    with pytest.raises(SchemaViolation, match=f"required property '.?{name.strip('$')}'"):
        schema.validate(event)


async def test_violations_are_told_and_nothing_else_is(schema):
    told = dict.fromkeys(("pointer", "keyword", "message", "expected", "got", "hint"), "x")
    schema.validate(LEAST | {"violations": [told] * 50})

    for more in ({"violations": [told] * 51}, {"violations": [{"got": 1}]}, {"other": 1}):
        with pytest.raises(SchemaViolation):
            schema.validate(LEAST | more)


@pytest.mark.parametrize(
    "path",
    ["meta.dt", "meta.id", "meta.request_id", "meta.uri", "meta.domain", "reason", "error_type",
     "source", "errored_schema_uri", "errored_stream_name", "raw_event", "violations"],
)  # fmt: skip
async def test_it_has_the_fields_of_error_events(schema, path):
    assert schema.field(path) == "declared"

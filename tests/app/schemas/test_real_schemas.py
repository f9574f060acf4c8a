"""Real repositories: every schema loads, every example is valid by its schema."""

import json
from pathlib import Path

import pytest

MODERN = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "modern"
BASES = [MODERN / "schemas" / name / "jsonschema" for name in ("primary", "secondary")]

pytestmark = pytest.mark.skipif(
    not MODERN.is_dir(), reason="real data (../shared/data) is not here"
)


@pytest.fixture
async def store(opened):
    return await opened(*(base.resolve() for base in BASES))


async def test_every_file_loads_under_its_path(store):
    uris = [
        f"/{file.relative_to(base)}"
        for base in BASES
        for file in sorted(base.rglob("*"))
        if file.is_file()
    ]

    problems = await store.precache(uris)

    assert problems == []
    assert len(uris) > 850
    versions = {uri.removesuffix(".yaml") for uri in uris if not uri.endswith("/latest")}
    assert store.cached == len(versions)


async def test_every_example_is_valid_by_the_schema_it_came_from(store):
    examples = [json.loads(line) for line in (MODERN / "events.jsonl").read_text().splitlines()]
    examples = [example for example in examples if example["in_data"]]

    for example in examples:
        schema = await store.get(example["schema_uri"])
        schema.validate(schema.with_defaults(example["event"]))

    assert len(examples) == 376


async def test_fields_of_real_schemas_are_known(store):
    schema = await store.get("/test/event/1.0.0")
    change = await store.get("/mediawiki/page/change/latest")

    assert schema.field("meta.dt") == "declared"
    assert schema.field("http.client_ip") is None
    assert schema.field("test_map.any-name") == "map"
    assert change.field("meta.request_id") == "declared"

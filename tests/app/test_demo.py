import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, FormatChecker

import app.demo
from app.core.json import loads
from app.core.yaml import parse_yaml
from app.streams.configs import StreamConfigs
from legacy.adapter import LegacyAdapter
from legacy.mapping import Mapping

DEMO = Path(app.demo.__file__).parent
FILES = sorted((DEMO / "schemas").rglob("*.yaml"))
SCHEMAS = {schema["$id"]: schema for schema in (parse_yaml(path.read_bytes()) for path in FILES)}
STREAMS = StreamConfigs.parse(parse_yaml((DEMO / "streams.yaml").read_bytes()))
EVENTS = json.loads((DEMO / "events.json").read_text())
TITLES = {"demo/button/click", "demo/order/placed", "demo/legacy/buttonclick"}


def violations(event, uri=None):
    schema = SCHEMAS[uri or event["$schema"]]
    checker = Draft7Validator(schema, format_checker=FormatChecker())
    return ["/".join(map(str, error.absolute_path)) for error in checker.iter_errors(event)]


def subschemas(schema):
    """Every object of a schema that has keywords."""
    if isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            if key not in {"examples", "enum", "const", "default"}:
                yield from subschemas(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from subschemas(inner)


def test_the_demo_has_three_schemas():
    assert {schema["title"] for schema in SCHEMAS.values()} == TITLES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_schema_is_where_its_id_says_and_is_draft_7(path):
    schema = parse_yaml(path.read_bytes())

    assert not path.is_symlink()
    assert f"/{path.relative_to(DEMO / 'schemas').with_suffix('').as_posix()}" == schema["$id"]
    assert schema["$id"] == f"/{schema['title']}/{path.stem}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", path.stem)
    assert schema["$schema"] == "https://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("uri", SCHEMAS)
def test_a_schema_bounds_what_could_be_slow(uri):
    for schema in subschemas(SCHEMAS[uri]):
        if isinstance(schema.get("pattern"), str) or isinstance(schema.get("format"), str):
            assert "maxLength" in schema
        if isinstance(schema.get("patternProperties"), dict):
            assert "maxLength" in schema["propertyNames"]
        if schema.get("uniqueItems") is True:
            assert "maxItems" in schema


@pytest.mark.parametrize("uri", SCHEMAS)
def test_every_example_validates_and_goes_to_a_stream_that_takes_it(uri):
    examples = SCHEMAS[uri]["examples"]

    assert examples
    for example in examples:
        assert violations(example) == []
        assert example["$schema"] == uri
        STREAMS.get(example["meta"]["stream"]).check_allows(SCHEMAS[uri]["title"])


@pytest.mark.parametrize("uri", SCHEMAS)
def test_every_schema_has_the_fields_that_the_service_sets(uri):
    meta = SCHEMAS[uri]["properties"]["meta"]

    assert set(meta["properties"]) == {"stream", "dt", "id", "domain", "request_id", "uri"}
    assert meta["required"] == ["stream"]


@pytest.mark.parametrize("event", EVENTS["good"])
def test_good_events_are_good(event):
    assert violations(event) == []
    STREAMS.get(event["meta"]["stream"]).check_allows(SCHEMAS[event["$schema"]]["title"])


@pytest.mark.parametrize("event", EVENTS["bad"])
def test_bad_events_break_one_rule_that_a_person_sees_at_once(event):
    assert violations(event) == ["button"]


def test_the_schemas_refuse_what_they_should():
    order = SCHEMAS["/demo/order/placed/1.0.0"]["examples"][0]
    old = SCHEMAS["/demo/legacy/buttonclick/1.0.0"]["examples"][0]

    assert violations(order | {"channel": "fax"}) == ["channel"]
    assert violations(order | {"dt": "x" * 129}) == ["dt"]
    assert violations(order | {"items": [{"sku": "a", "quantity": 0}]}) == ["items/0/quantity"]
    assert violations(order | {"attributes": {"y": "z"}}) == ["attributes"]
    assert violations(order | {"total": {"amount": 1, "currency": "eur"}}) == ["total/currency"]
    assert violations(old | {"ip": "192.0.2.1"}) == [""]
    assert violations(old | {"event": {"button": 7}}) == ["event/button"]


def test_the_demo_streams_show_names_keys_headers_and_a_regex():
    assert list(STREAMS.names) == [
        "demo.button.click",
        "demo.order.placed",
        "eventlogging_DemoButtonClick",
    ]
    assert STREAMS.get("demo.order.placed").message_key_fields == (("order_id", ("order_id",)),)
    assert STREAMS.get("eventlogging_DemoButtonClick").header_fields == {
        "http.request_headers.user-agent": "user-agent"
    }
    assert STREAMS.get("demo.team.red").schema_title == "demo/button/click"


@pytest.mark.parametrize("revision", [1, 12])
def test_an_old_capsule_becomes_an_event_that_the_demo_takes(revision):
    adapter = LegacyAdapter(Mapping.load(DEMO / "legacy-mapping.yaml"), loads=loads, host="h")
    capsule = {
        "schema": "DemoButtonClick",
        "revision": revision,
        "wiki": "demo",
        "event": {"button": "save"},
    }

    body, _ = adapter.beacon(
        json.dumps(capsule).encode() + b";", received_dt="2026-01-15T09:32:40.118Z"
    )

    assert violations(body) == []
    assert body["$schema"] == "/demo/legacy/buttonclick/1.0.0"
    STREAMS.get(body["meta"]["stream"]).check_allows("demo/legacy/buttonclick")

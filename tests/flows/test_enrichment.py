"""What the server sets, seen from outside."""

import json
import re

import pytest

SCHEMA = {
    "$schema": "https://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "meta": {
            "type": "object",
            "properties": {
                name: {"type": "string"} for name in ("stream", "dt", "id", "request_id", "domain")
            },
        },
        "dt": {"type": "string"},
        "http": {
            "type": "object",
            "properties": {
                "client_ip": {"type": "string"},
                "request_headers": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                },
            },
        },
        "colour": {"type": "string", "default": "blue"},
    },
}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
AGENT = {"user-agent": "Firefox"}


@pytest.fixture
def house(tmp_path):
    """Settings with one schema under several titles, some with less in it."""

    def write(title, schema):
        folder = tmp_path / "schemas" / title
        folder.mkdir(parents=True)
        document = schema | {"title": title, "$id": f"/{title}/1.0.0"}
        (folder / "1.0.0.yaml").write_text(json.dumps(document))

    write("full", SCHEMA)
    stream = {"type": "object", "properties": {"stream": {"type": "string"}}}
    write("bare", {"type": "object", "properties": {"meta": stream}})
    write("analytics/legacy/old", SCHEMA)
    agent = {"enrich_fields_from_http_headers": {"http.request_headers.user-agent": "User-Agent"}}
    never = {"enrich_fields_from_http_headers": {"meta.request_id": False}}
    streams = {
        "full": {"schema_title": "full", "producers": {"eventgate": agent}},
        "bare": {"schema_title": "bare", "producers": {"eventgate": agent}},
        "quiet": {"schema_title": "full", "producers": {"eventgate": never}},
        "keyed": {"schema_title": "full", "message_key_fields": {"page": "page.id", "d": "dt"}},
        "old": {"schema_title": "analytics/legacy/old"},
    }
    (tmp_path / "streams.yaml").write_text(json.dumps(streams))
    return {
        "schemas": {"base_uris": [str(tmp_path / "schemas")]},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
    }


def event(stream, title=None, **fields):
    return {"$schema": f"/{title or stream}/1.0.0", "meta": {"stream": stream}} | fields


async def sent(client, body, **headers):
    answer = await client.post("/v1/events", json=body, headers=AGENT | headers)
    assert answer.status_code == 201, answer.text
    return client.journal.stored[-1]


async def test_fields_that_the_schema_has_are_filled(serving, house):
    async with serving(**house, peer="203.0.113.9") as client:
        stored = await sent(client, event("full"), **{"x-request-id": "r-1"})

        assert ISO.fullmatch(stored["meta"]["dt"])
        assert len(stored["meta"]["id"]) == 36
        assert stored["meta"]["request_id"] == "r-1"
        assert stored["http"] == {
            "client_ip": "203.0.113.9",
            "request_headers": {"user-agent": "Firefox"},
        }
        assert stored["colour"] == "blue"
        assert "dt" not in stored


async def test_nothing_is_set_that_the_schema_lacks(serving, house):
    async with serving(**house) as client:
        stored = await sent(client, event("bare"))

        assert stored == event("bare")


async def test_what_the_client_sent_is_kept_but_for_the_time_of_receipt(serving, house):
    mine = {
        "stream": "full",
        "dt": "2001-01-01T00:00:00Z",
        "id": "mine",
        "request_id": "mine",
    }
    http = {"client_ip": "mine", "request_headers": {"user-agent": "mine", "x": "y"}}
    async with serving(**house) as client:
        stored = await sent(client, event("full", meta=mine, http=http, colour="red"))

        assert stored["meta"] | {"dt": mine["dt"]} == mine
        assert not stored["meta"]["dt"].startswith("2001")
        assert stored["http"] == http
        assert stored["colour"] == "red"


async def test_a_setting_keeps_the_clients_meta_dt(serving, house):
    meta = {"stream": "full", "dt": "2001-01-01T00:00:00Z"}
    async with serving(**house, meta_dt="client") as client:
        with_dt = await sent(client, event("full", meta=meta))
        without = await sent(client, event("full"))

        assert with_dt["meta"]["dt"] == meta["dt"]
        assert ISO.fullmatch(without["meta"]["dt"])
        assert client.journal._sink.records[0].timestamp_ms == 978307200000


async def test_old_schemas_get_dt_as_well(serving, house):
    async with serving(**house) as client:
        stored = await sent(client, event("old", "analytics/legacy/old"))

        assert stored["dt"] == stored["meta"]["dt"]


async def test_a_stream_may_forbid_what_is_set_elsewhere(serving, house):
    async with serving(**house) as client:
        stored = await sent(client, event("quiet", "full"))

        assert "request_id" not in stored["meta"]


async def test_header_values_are_cut_to_400_characters(serving, house):
    async with serving(**house) as client:
        stored = await sent(client, event("full"), **{"user-agent": "x" * 1000})

        assert len(stored["http"]["request_headers"]["user-agent"]) == 400


async def test_an_answer_repeats_what_was_sent_not_what_was_added(serving, house):
    async with serving(**house, peer="203.0.113.9") as client:
        bad = event("full", colour=7)
        answer = await client.post("/v1/events", json=bad, headers=AGENT)

        assert answer.json()["invalid"][0]["event"] == bad
        (error,) = client.journal.errors
        assert json.loads(error["raw_event"]) == bad
        assert "203.0.113.9" not in json.dumps(error)


async def test_the_message_key_is_made_of_the_configured_fields(serving, house):
    body = event("keyed", "full", page={"id": 12}, dt="2024-01-01T00:00:00Z")
    async with serving(**house) as client:
        await sent(client, body)
        lacking = await client.post("/v1/events", json=event("keyed", "full", dt="x"))

        assert client.journal._sink.records[0].key == b'{"page":12,"d":"2024-01-01T00:00:00Z"}'
        assert lacking.status_code == 400
        (item,) = lacking.json()["invalid"]
        assert (item["reason"], item["pointer"]) == ("missing_field", "/page/id")


async def test_topics_have_the_prefix_except_those_of_old_streams(serving, house):
    async with serving(**house, topic_prefix="eqiad.") as client:
        await sent(client, event("full"))
        assert client.journal._sink.records[0].topic == "eqiad.full"


async def test_a_value_of_the_servers_that_the_schema_refuses_is_not_shown(serving, tmp_path):
    text = {"type": "string", "maxLength": 3}
    http = {"client_ip": text, "request_headers": {"type": "object", "additionalProperties": text}}
    document = {
        "title": "strict",
        "type": "object",
        "properties": {"http": {"type": "object", "properties": http}, "n": {"type": "integer"}},
    }
    folder = tmp_path / "schemas" / "strict"
    folder.mkdir(parents=True)
    (folder / "1.0.0.yaml").write_text(json.dumps(document))
    agent = {"http.request_headers.user-agent": "user-agent"}
    (tmp_path / "streams.yaml").write_text(
        json.dumps({"strict": {"schema_title": "strict", "enrich_fields_from_http_headers": agent}})
    )
    settings = {
        "schemas": {"base_uris": [str(tmp_path / "schemas")]},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
    }
    async with serving(**settings, peer="203.0.113.77") as client:
        answer = await client.post(
            "/v1/events", json=event("strict", n="x"), headers={"user-agent": "Secret/1"}
        )
        (error,) = client.journal.errors

    assert answer.status_code == 400
    pointers = [v["pointer"] for v in answer.json()["invalid"][0]["context"]["errors"]]
    assert sorted(pointers) == ["/http/client_ip", "/http/request_headers/user-agent", "/n"]
    for text in (answer.text, json.dumps(error)):
        assert "203.0.113.77" not in text
        assert "Secret/1" not in text
        assert "the service set" in text

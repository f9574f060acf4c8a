"""Real schemas, real streams, real events: what the repositories give as examples is taken."""

import json

import pytest

from app.core.yaml import parse_yaml
from app.logreader import LogReader
from app.sinks.sqlite import SqliteSink

SET_BY_SERVER = ("dt", "id", "request_id")


@pytest.fixture(scope="module")
def real(shared):
    modern = shared / "modern"
    schemas = modern / "schemas"
    return {
        "settings": {
            "schemas": {
                "base_uris": [
                    str(schemas / "primary" / "jsonschema"),
                    str(schemas / "secondary" / "jsonschema"),
                ]
            },
            "streams": {"uri": str(modern / "stream-config.yaml")},
        },
        "events": list(examples(modern)),
    }


def examples(modern):
    """Each example whose title a configured stream takes, addressed to such a stream."""
    configured = parse_yaml((modern / "stream-config.yaml").read_bytes())
    for line in (modern / "events.jsonl").read_text().splitlines():
        entry = json.loads(line)
        # A regular expression names no stream by itself; any name that it matches will do.
        streams = [name_for(stream) for stream in entry["streams"] if stream in configured]
        if not entry["in_data"] or not streams:
            continue
        event = entry["event"]
        # Few examples name no schema, or (development/webrequest) one that does not exist.
        event["$schema"] = entry["schema_uri"]
        event["meta"]["stream"] = streams[0]
        yield event


def name_for(stream):
    return {
        "/^mediawiki\\.job\\..+/": "mediawiki.job.refreshLinks",
        "/^swift\\.(.+\\.)?upload-complete$/": "swift.codfw.upload-complete",
    }.get(stream, stream)


def without_what_the_server_sets(event, sent):
    """Drop what the server sets, and what it adds where `sent` has nothing."""
    event = json.loads(json.dumps(event))
    for field in SET_BY_SERVER:
        event["meta"].pop(field, None)
    for part in (event,):
        http = part.get("http")
        if isinstance(http, dict) and "http" not in sent:
            part.pop("http")
        elif isinstance(http, dict):
            if "client_ip" not in sent["http"]:
                http.pop("client_ip", None)
            headers = http.get("request_headers")
            if isinstance(headers, dict) and "request_headers" not in sent["http"]:
                http.pop("request_headers")
            elif isinstance(headers, dict) and "user-agent" not in sent["http"]["request_headers"]:
                headers.pop("user-agent", None)
    if "dt" not in sent:
        event.pop("dt", None)
    return event


@pytest.mark.parametrize("size", [1, 50])
async def test_every_example_of_a_configured_stream_is_taken_and_reads_back_equal(
    serving, real, tmp_path, size
):
    events = real["events"]
    assert len(events) > 200

    async with serving(sink=SqliteSink(tmp_path / "log.db"), **real["settings"]) as client:
        for start in range(0, len(events), size):
            answer = await client.post("/v1/events", json=events[start : start + size])
            assert answer.status_code == 201, answer.text

    stored = [json.loads(event.value) for event in LogReader(tmp_path / "log.db").read()]
    assert len(stored) == len(events)
    for sent, kept in zip(events, stored, strict=True):
        assert without_what_the_server_sets(kept, sent) == without_what_the_server_sets(sent, sent)
    print(f"\n{len(stored)} real events in batches of {size}: all 201, all read back equal")


async def test_the_modern_batch_of_everything_at_once_keeps_its_order(serving, real):
    async with serving(**real["settings"]) as client:
        answer = await client.post("/v1/events", json=real["events"])

        assert answer.status_code == 201
        assert [e["meta"]["stream"] for e in client.journal.stored] == [
            e["meta"]["stream"] for e in real["events"]
        ]

"""The 40 worked examples of old beacons, through the real HTTP beacon."""

import json

import pytest

REASONS = {
    "schema not migrated": {"unmapped_schema"},
    "invalid or missing schema name": {"missing_field", "malformed"},
    "not an object": {"malformed"},
}
CLOCK = ("dt", "id")


@pytest.fixture(scope="module")
def cases(shared):
    path = shared / "legacy" / "vectors" / "mapping-recommended.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def settings(shared, tmp_path):
    schemas = shared / "modern" / "schemas"
    names = {
        "MediaWikiPingback": "latest",
        "Test": "latest",
        "test": "latest",
        "ServerSideAccountCreation": "latest",
    }
    (tmp_path / "mapping.yaml").write_text(json.dumps({"schemas": names}))
    streams = json.loads((shared / "modern" / "streamconfigs-api-response.json").read_text())
    # One case is about a stream of another spelling, which has to be configured to be taken.
    streams["streams"]["eventlogging_test"] = streams["streams"]["eventlogging_Test"] | {
        "stream": "eventlogging_test"
    }
    (tmp_path / "streams.json").write_text(json.dumps(streams))
    return {
        "schemas": {
            "base_uris": [
                str(schemas / "primary" / "jsonschema"),
                str(schemas / "secondary" / "jsonschema"),
            ]
        },
        "streams": {"uri": str(tmp_path / "streams.json"), "object_path": "streams"},
        "legacy": {"mapping": str(tmp_path / "mapping.yaml"), "recv_from": "intake1001"},
        "http": {"trusted_proxies": ["127.0.0.0/8"]},
    }


async def test_every_case_gives_the_expected_event_or_the_expected_refusal(
    serving, cases, settings
):
    verdicts = {"valid": 0, "invalid": 0, "error": 0}
    for case in cases:
        expected = case["expected"]
        async with serving(**settings) as client:
            answer = await client.get(
                f"/beacon/event?{case['input']['query']}", headers=headers_of(case)
            )
            stored, errors = client.journal.stored, client.journal.errors
            topics = [r.topic for r in client.journal._sink.records]

        assert answer.status_code == expected["http_status"], case["id"]
        if expected["status"] == "valid":
            assert errors == [], (case["id"], errors)
            (event,) = stored
            assert on_the_cases_clock(event, expected["event"]) == expected["event"], case["id"]
            assert topics == [expected["topic"]]
        elif case["input"]["query"] == "":
            # An empty query is no beacon: ignored, as the old log filter did (LEGACY, g.43).
            assert stored == errors == []
        else:
            assert stored == [], case["id"]
            (error,) = errors
            check_refusal(case, error)
        verdicts[expected["status"]] += 1
    assert sum(verdicts.values()) == 40
    print(f"\nrecommended mapping, agreed: {verdicts}")


def check_refusal(case, error):
    expected = case["expected"]
    if expected["status"] == "invalid":
        assert error["reason"] == "schema_violation", case["id"]
        assert error["errored_stream_name"] == expected["event"]["meta"]["stream"]
        places = {f"{v['pointer'].lstrip('/')}: {v['keyword']}" for v in error["violations"]}
        for place in expected["errors"]:
            assert place in places, (case["id"], places)
        converted = json.loads(error["raw_event"])
        assert converted["schema"] == expected["event"]["schema"]
    else:
        allowed = REASONS.get(expected["reason"], {"malformed"})
        assert error["reason"] in allowed, (case["id"], error)


def headers_of(case):
    context = case["input"]["context"]
    headers = {"x-client-ip": context["client_ip"], "x-request-id": context["x_request_id"]}
    # httpx names itself unless told otherwise; an absent user agent is sent as none at all.
    headers["user-agent"] = context["user_agent"]
    return [(name, value) for name, value in headers.items() if value is not None]


def on_the_cases_clock(event, expected):
    """Put the case's receive time and id where ours were set."""
    received = event["meta"]["dt"]
    event["meta"] |= {field: expected["meta"][field] for field in CLOCK}
    for field in ("dt", "client_dt"):
        if event.get(field) == received:
            event[field] = expected["meta"]["dt"]
    return event

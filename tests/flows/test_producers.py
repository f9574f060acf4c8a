"""Streams that name who may write to them, over HTTP, with API keys."""

import json
import logging

import pytest
import yaml

from app.auth.keys import hash_of, new_key
from app.service import DEMO, check
from app.settings import Settings

IMPORTER = new_key()
READER = new_key()
OTHER = new_key()

EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "guarded"},
    "button": "save",
    "page": "xwiki",
}
OPEN = EVENT | {"meta": {"stream": "open"}}
STREAMS = {
    "open": {"schema_title": "demo/button/click"},
    "guarded": {"schema_title": "demo/button/click", "producers": ["importer"]},
    "ruled": {
        "schema_title": "demo/button/click",
        "producers": [
            {"subject": "importer", "fields": {"page": "xwiki", "button": ["save", "close"]}},
            "reader",
        ],
    },
    "eventlogging_DemoButtonClick": {
        "schema_title": "demo/legacy/buttonclick",
        "producers": ["importer"],
    },
}


@pytest.fixture
def settings(tmp_path):
    """Settings of a service that knows two owners of keys."""
    (tmp_path / "streams.yaml").write_text(yaml.safe_dump(STREAMS))
    return {
        "schemas": {"base_uris": [str(DEMO / "schemas")]},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
        "legacy": {"mapping": str(DEMO / "legacy-mapping.yaml")},
        "auth": {"api_keys": {"importer": hash_of(IMPORTER), "reader": [hash_of(READER)]}},
    }


@pytest.fixture
async def client(serving, settings):
    async with serving(**settings) as client:
        yield client


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def to(stream, **fields):
    return EVENT | {"meta": {"stream": stream}} | fields


async def test_a_producer_writes_with_its_key_in_either_header(client):
    ways = [
        bearer(IMPORTER),
        {"authorization": f"bearer  {IMPORTER}"},
        {"x-api-key": IMPORTER},
    ]

    statuses = [
        (await client.post("/v1/events", json=EVENT, headers=way)).status_code for way in ways
    ]

    assert statuses == [201, 201, 201]
    assert len(client.journal.stored) == 3


async def test_without_credentials_it_is_401_with_a_challenge(client):
    answer = await client.post("/v1/events", json=EVENT)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="sluiceway"'
    (entry,) = answer.json()["invalid"]
    assert entry["reason"] == "credentials_missing"
    assert entry["pointer"] == "/meta/stream"
    assert client.journal.events() == []


async def test_a_known_client_that_is_no_producer_is_403_and_told_on_the_error_stream(client):
    answer = await client.post("/v1/events", json=EVENT, headers=bearer(READER))

    assert answer.status_code == 403
    assert answer.json()["invalid"][0]["reason"] == "producer_not_allowed"
    (error,) = client.journal.errors
    assert error["reason"] == "producer_not_allowed"


@pytest.mark.parametrize("event", [EVENT, OPEN], ids=["guarded", "open"])
async def test_credentials_that_prove_nothing_are_401_on_every_stream(client, event):
    answer = await client.post("/v1/events", json=event, headers=bearer(OTHER))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    (entry,) = answer.json()["invalid"]
    assert (entry["reason"], entry["index"]) == ("credentials_refused", None)
    assert client.journal.events() == []


async def test_streams_that_name_nobody_are_open_to_all(client):
    anonymous = await client.post("/v1/events", json=OPEN)
    known = await client.post("/v1/events", json=OPEN, headers=bearer(READER))

    assert (anonymous.status_code, known.status_code) == (201, 201)


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        ({}, ["accepted", "credentials_missing", "credentials_missing"]),
        (bearer(READER), ["accepted", "producer_not_allowed", "accepted"]),
        (bearer(IMPORTER), ["accepted", "accepted", "accepted"]),
    ],
    ids=["anonymous", "reader", "importer"],
)
async def test_each_event_of_a_batch_has_its_own_outcome(client, headers, statuses):
    batch = [OPEN, EVENT, to("ruled")]

    answer = await client.post("/v1/events", json=batch, headers=headers)

    assert answer.status_code == (207 if set(statuses) != {"accepted"} else 201)
    failed = {e["index"]: e["reason"] for e in answer.json()["invalid"]} if answer.content else {}
    assert [failed.get(index, "accepted") for index in range(3)] == statuses
    assert len(client.journal.stored) == statuses.count("accepted")


async def test_statuses_that_differ_in_one_refused_batch_are_400(client):
    answer = await client.post("/v1/events", json=[EVENT, to("no.such")])

    assert answer.status_code == 400
    reasons = [entry["reason"] for entry in answer.json()["invalid"]]
    assert reasons == ["credentials_missing", "unknown_stream"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"page": "ywiki"}, "/page"),
        ({"page": ""}, "/page"),
        ({"page": "xwiki "}, "/page"),
        ({"page": ["xwiki"]}, "/page"),
        ({"button": "delete"}, "/button"),
    ],
)
async def test_a_value_that_the_rule_forbids_is_403_at_its_place(client, fields, pointer):
    answer = await client.post("/v1/events", json=to("ruled", **fields), headers=bearer(IMPORTER))

    assert answer.status_code == 403
    (entry,) = answer.json()["invalid"]
    assert (entry["reason"], entry["pointer"]) == ("value_not_allowed", pointer)
    assert client.journal.stored == []


async def test_a_ruled_field_that_is_absent_is_403(client):
    event = to("ruled")
    del event["page"]

    answer = await client.post("/v1/events", json=event, headers=bearer(IMPORTER))

    assert answer.status_code == 403


async def test_the_rule_is_of_its_subject_alone(client):
    answer = await client.post("/v1/events", json=to("ruled", page="ywiki"), headers=bearer(READER))

    assert answer.status_code == 201


async def test_hasty_events_keep_the_same_rules(client):
    missing = await client.post("/v1/events?hasty=true", json=EVENT)
    wrong = await client.post("/v1/events?hasty=true", json=EVENT, headers=bearer(OTHER))

    assert (missing.status_code, wrong.status_code) == (202, 401)
    assert client.journal.events() == []


async def test_beacons_have_no_credentials_and_write_only_to_open_streams(client):
    capsule = {"schema": "DemoButtonClick", "revision": 1, "event": {"button": "save"}}
    url = "/beacon/event?" + json.dumps(capsule)

    answer = await client.get(url, headers=bearer(IMPORTER))

    assert answer.status_code == 204
    assert client.journal.events() == []
    metrics = (await client.get("/metrics")).text
    assert 'reason="credentials_missing",source="beacon"' in metrics


async def test_a_beacon_is_not_refused_for_credentials_that_nobody_looks_at(serving, settings):
    capsule = {"schema": "DemoButtonClick", "revision": 1, "event": {"button": "save"}}
    async with serving(auth=settings["auth"]) as client:  # the demo, whose streams are open
        await client.get("/beacon/event?" + json.dumps(capsule), headers=bearer(OTHER))

        assert len(client.journal.stored) == 1


async def test_a_capsule_on_the_modern_wire_has_credentials(client):
    capsule = {"schema": "DemoButtonClick", "revision": 1, "event": {"button": "save"}}

    refused = await client.post("/v1/events", json=capsule)
    answer = await client.post("/v1/events", json=capsule, headers=bearer(IMPORTER))

    assert (refused.status_code, answer.status_code) == (401, 201)


async def test_nobody_is_known_unless_configured_and_then_credentials_are_not_looked_at(
    serving, settings, caplog
):
    del settings["auth"]
    async with serving(**settings) as client:
        open_answer = await client.post("/v1/events", json=OPEN, headers=bearer(OTHER))
        guarded = await client.post("/v1/events", json=EVENT, headers=bearer(IMPORTER))

        assert (open_answer.status_code, guarded.status_code) == (201, 401)
        assert "Streams name their producers" in caplog.text


async def test_no_secret_gets_into_logs_answers_metrics_or_events(client, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for headers in (
        bearer(OTHER),
        bearer(READER),
        {"x-api-key": OTHER},
        {"authorization": f"Basic {OTHER}"},
        {"authorization": f"Bearer {OTHER}, Bearer {IMPORTER}"},
        {"authorization": f"Bearer {OTHER}.{OTHER}.{OTHER}"},
    ):
        answer = await client.post("/v1/events", json=[EVENT, {}], headers=headers)
        told += [answer.text, str(answer.headers)]
    told += [
        caplog.text,
        str([vars(record) for record in caplog.records]),
        (await client.get("/metrics")).text,
        str(client.journal.events()),
    ]

    for text in told:
        for secret in (OTHER, READER, IMPORTER, hash_of(READER)):
            assert secret not in text


async def test_cross_origin_scripts_may_send_credentials_only_where_they_are_looked_at(
    serving, settings
):
    origin = {"origin": "https://www.example.org"}
    settings["http"] = {"cors_origins": [origin["origin"]]}
    allowed = []
    for auth in (settings.pop("auth"), {}):
        async with serving(**settings, auth=auth) as client:
            answer = await client.options("/v1/events", headers=origin)
            allowed.append(answer.headers["access-control-allow-headers"].split(", "))

    assert {"authorization", "x-api-key"} <= set(allowed[0])
    assert not {"authorization", "x-api-key"} & set(allowed[1])
    assert "content-encoding" in allowed[1]


async def test_test_events_are_of_whoever_asks_for_them(serving, settings, tmp_path):
    (tmp_path / "events.json").write_text(json.dumps([EVENT]))
    settings["test_events"] = str(tmp_path / "events.json")
    async with serving(**settings) as client:
        statuses = [
            (await client.get("/v1/_test/events", headers=headers)).status_code
            for headers in ({}, bearer(OTHER), bearer(READER), bearer(IMPORTER))
        ]

        assert statuses == [401, 401, 403, 201]


async def test_check_says_what_keeps_producers_out(settings, tmp_path):
    jwt = {"issuer": "https://login.example.org", "audience": ["sluiceway"]}
    (tmp_path / "jwks.json").write_text("{}")
    tries = {
        "name nobody who could": {},
        "cannot be fetched": {"jwt": jwt | {"jwks": "http://127.0.0.1:1/jwks.json"}},
        "no list of keys": {"jwt": jwt | {"jwks": str(tmp_path / "jwks.json")}},
        "cannot be read": {"api_keys_file": str(tmp_path / "none.yaml")},
    }

    for said, auth in tries.items():
        fatal, lacks = await check(Settings(**settings | {"auth": auth}))

        assert said in str([*fatal, *lacks])
    assert await check(Settings(**settings)) == ([], [])

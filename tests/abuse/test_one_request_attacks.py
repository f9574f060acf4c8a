"""Requests that brought EventGate down, or made it lie; each must be answered well, and survived.

They come from a black-box study of EventGate; the numbers are its list of thirteen weaknesses.
"""

import asyncio
import gzip
import json
import os
import time

import pytest

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
BAD = GOOD | {"button": 7}
HOSTILE = {"toString": 1}


@pytest.fixture
async def client(serving):
    """A client that proves at the end that the service still lives."""
    async with serving() as client:
        yield client
        answer = await client.post("/v1/events", json=GOOD)
        assert answer.status_code == 201
        assert client.journal.stored[-1]["button"] == "save"


@pytest.mark.parametrize("field", ["uri", "domain", "request_id", "id", "dt"])
async def test_1_meta_of_an_invalid_event_may_be_anything(client, field):
    event = BAD | {"meta": GOOD["meta"] | {field: HOSTILE}}

    answer = await client.post("/v1/events", json=event)

    assert answer.status_code == 400
    (error,) = client.journal.errors
    assert error["reason"] == "schema_violation"


@pytest.mark.parametrize(
    "uri",
    [
        "/../../../dev/zero",
        "/../../../../../../../../dev/zero",
        "/..%2f..%2f..%2fdev/zero",
        "/dev/zero",
        "file:///dev/zero",
    ],
)
async def test_2_a_schema_uri_cannot_reach_a_device(client, uri):
    started = time.monotonic()

    answer = await client.post("/v1/events", json=GOOD | {"$schema": uri})

    assert answer.status_code == 400
    assert answer.json()["invalid"][0]["reason"] == "schema_not_found"
    assert time.monotonic() - started < 5


async def test_2_a_device_inside_the_repository_is_not_read_either(serving, tmp_path):
    folder = tmp_path / "schemas" / "any"
    folder.mkdir(parents=True)
    (folder / "1.0.0").symlink_to("/dev/zero")
    os.mkfifo(folder / "2.0.0")
    (tmp_path / "streams.yaml").write_text("any: {schema_title: any}")
    async with serving(
        schemas={"base_uris": [str(tmp_path / "schemas")]},
        streams={"uri": str(tmp_path / "streams.yaml")},
    ) as client:
        for version in ("1.0.0", "2.0.0"):
            event = {"$schema": f"/any/{version}", "meta": {"stream": "any"}}
            answer = await asyncio.wait_for(client.post("/v1/events", json=event), 10)
            assert answer.status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "/../outside/1.0.0",
        "../outside/1.0.0",
        "/demo/../../outside/1.0.0",
        "/demo/./button/click/1.0.0",
        "/%2e%2e/outside/1.0.0",
        "/..\\outside\\1.0.0",
        "//outside/1.0.0",
        "/linked/1.0.0",
    ],
)
async def test_3_no_path_leaves_the_repository(serving, tmp_path, uri):
    outside = tmp_path / "outside"
    inside = tmp_path / "schemas" / "demo"
    inside.mkdir(parents=True)
    outside.mkdir()
    (outside / "1.0.0").write_text('{"title": "any"}')
    (tmp_path / "schemas" / "linked").symlink_to(outside)
    (tmp_path / "streams.yaml").write_text("any: {schema_title: any}")
    async with serving(
        schemas={"base_uris": [str(tmp_path / "schemas")]},
        streams={"uri": str(tmp_path / "streams.yaml")},
    ) as client:
        answer = await client.post("/v1/events", json={"$schema": uri, "meta": {"stream": "any"}})

        assert answer.status_code == 400
        assert answer.json()["invalid"][0]["reason"] == "schema_not_found"
        assert client.journal.stored == []


async def test_4_listing_streams_does_not_disable_regexes(client):
    event = GOOD | {"meta": {"stream": "demo.team.red"}}
    before = (await client.post("/v1/events", json=event)).status_code

    await client.get("/v1/stream-configs")
    await client.get("/v1/stream-configs/demo.team.red")
    await client.post("/v1/events", json=GOOD | {"meta": {"stream": "/^demo\\.team\\.[a-z]+$/"}})

    assert before == 201
    assert (await client.post("/v1/events", json=event)).status_code == 201


async def test_4_the_text_of_a_regex_is_no_stream(client):
    event = GOOD | {"meta": {"stream": "/^demo\\.team\\.[a-z]+$/"}}

    answer = await client.post("/v1/events", json=event)

    assert answer.json()["invalid"][0]["reason"] == "unknown_stream"


async def test_5_one_schema_cannot_poison_another(serving, tmp_path):
    """A fragment is embedded, with its $id, in a schema; neither order of use may do harm."""
    fragment = {
        "title": "fragment",
        "$id": "/fragment/1.0.0",
        "type": "object",
        "properties": {"a": {"type": "integer"}},
    }
    whole = {
        "title": "whole",
        "$id": "/whole/1.0.0",
        "type": "object",
        "properties": {"part": fragment | {"properties": {"a": {"type": "string"}}}},
    }
    for name, document in (("fragment", fragment), ("whole", whole)):
        folder = tmp_path / "schemas" / name
        folder.mkdir(parents=True)
        (folder / "1.0.0.yaml").write_text(json.dumps(document))
    (tmp_path / "streams.yaml").write_text(
        "whole: {schema_title: whole}\nfragment: {schema_title: fragment}"
    )
    settings = {
        "schemas": {"base_uris": [str(tmp_path / "schemas")]},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
    }

    def part(value):
        return {"$schema": "/whole/1.0.0", "meta": {"stream": "whole"}, "part": {"a": value}}

    def alone(value):
        return {"$schema": "/fragment/1.0.0", "meta": {"stream": "fragment"}, "a": value}

    for order in ([alone, part], [part, alone]):
        async with serving(**settings) as client:
            for make in order:
                right, wrong = (1, "x") if make is alone else ("x", 1)
                assert (await client.post("/v1/events", json=make(right))).status_code == 201
                assert (await client.post("/v1/events", json=make(wrong))).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft-07/schema",
        "http://127.0.0.1:1/schema",
        "file:///etc/passwd",
        "/demo/button/click/1.0.0#/properties/meta",
        "/demo/button/click/1.0.0?anything",
        "//127.0.0.1:1/x/1.0.0",
        "@127.0.0.1/x",
        ":8080/x",
        ".evil.test/x",
    ],
)
async def test_6_validation_cannot_be_bypassed_by_the_uri(client, uri):
    answer = await client.post("/v1/events", json=BAD | {"$schema": uri})

    assert answer.status_code == 400
    assert answer.json()["invalid"][0]["reason"] == "schema_not_found"
    assert client.journal.stored == []


@pytest.mark.parametrize("depth", [65, 300, 900, 1_500, 5_000, 100_000])
async def test_7_a_deeply_nested_payload_is_answered(client, depth):
    nested = "[" * depth + "]" * depth
    body = json.dumps(GOOD)[:-1] + f', "nested": {nested}}}'

    answer = await asyncio.wait_for(client.post("/v1/events", content=body), 20)

    assert answer.status_code == 400
    assert client.journal.stored == []


async def test_8_a_hostile_id_in_a_batch_does_not_hide_its_neighbours(client):
    hostile = [
        GOOD | {"meta": GOOD["meta"] | {"id": HOSTILE}},
        GOOD | {"$schema": HOSTILE},
        GOOD | {"meta": {"stream": HOSTILE}},
        GOOD | {"meta": HOSTILE},
        GOOD | {"meta": []},
    ]

    answer = await client.post("/v1/events", json=[GOOD, *hostile, GOOD])

    assert answer.status_code == 207
    assert [item["index"] for item in answer.json()["invalid"]] == [1, 2, 3, 4, 5]
    assert len(client.journal.stored) == 2


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"7", {}, 400),
        (b" \n", {}, 400),
        (b"\x1f\x8bno", {"content-encoding": "gzip"}, 400),
        (b"{}", {"content-type": "application/json; charset=klingon"}, 415),
        (b"{}", {"content-encoding": "rot13"}, 415),
        (b" " * (11 * 1024 * 1024), {}, 413),
    ],
)
async def test_9_the_callers_faults_are_never_ours(client, content, headers, status):
    answer = await client.post("/v1/events", content=content, headers=headers)

    assert answer.status_code == status


async def test_9_hasty_false_is_not_hasty(client):
    assert (await client.post("/v1/events?hasty=false", json=BAD)).status_code == 400


@pytest.mark.parametrize(
    "number", ["1e400", "18446744073709551616", "NaN", "123456789012345678901234567890"]
)
async def test_10_no_number_is_stored_as_another(client, number):
    body = json.dumps(GOOD)[:-1] + f', "count": {number}}}'

    answer = await client.post("/v1/events", content=body)

    assert answer.status_code == 400
    assert client.journal.stored == []


async def test_10_invalid_utf8_is_refused_not_replaced(client):
    body = json.dumps(GOOD).encode().replace(b"save", b"s\xe9ve")

    answer = await client.post("/v1/events", content=body)

    assert answer.status_code == 400
    assert client.journal.stored == []


async def test_11_a_pattern_that_backtracks_elsewhere_does_not_block_here(serving, tmp_path):
    folder = tmp_path / "schemas" / "slow"
    folder.mkdir(parents=True)
    pattern = {"type": "string", "maxLength": 100, "pattern": "^(a+)+$"}
    document = {"title": "slow", "type": "object", "properties": {"s": pattern}}
    (folder / "1.0.0.yaml").write_text(json.dumps(document))
    (tmp_path / "streams.yaml").write_text("slow: {schema_title: slow}")
    async with serving(
        schemas={"base_uris": [str(tmp_path / "schemas")]},
        streams={"uri": str(tmp_path / "streams.yaml")},
    ) as client:
        event = {"$schema": "/slow/1.0.0", "meta": {"stream": "slow"}, "s": "a" * 60 + "!"}
        started = time.monotonic()
        answer = await client.post("/v1/events", json=event)

        assert answer.status_code == 400
        assert time.monotonic() - started < 2


async def test_11_a_bomb_of_200_mb_costs_little(client):
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)

    answer = await client.post("/v1/events", content=bomb, headers={"content-encoding": "gzip"})

    assert answer.status_code == 413


async def test_11_an_unknown_schema_is_looked_for_once(client):
    schemas = client.app._app.state.service.schemas
    event = GOOD | {"$schema": "/no/such/1.0.0"}
    await client.post("/v1/events", json=event)
    before = schemas.fetches

    answer = await client.post("/v1/events", json=[event] * 100)

    assert answer.status_code == 400
    assert schemas.fetches == before


async def test_12_what_strangers_name_does_not_grow_our_maps(client):
    service = client.app._app.state.service
    events = [
        GOOD | {"$schema": f"/demo/button/click/1.0.0{suffix}"}
        for suffix in (".yaml", ".json", ".yml", "#", *(f"?x={i}" for i in range(200)))
    ]
    events += [GOOD | {"meta": {"stream": f"demo.team.{'x' * i}"}} for i in range(1, 200)]
    cached = service.schemas.cached

    await client.post("/v1/events", json=events)
    text = (await client.get("/metrics")).text

    assert service.schemas.cached <= cached + 1
    assert set(service.streams.settings_of()) == {
        "demo.button.click",
        "demo.order.placed",
        "eventlogging_DemoButtonClick",
        "/^demo\\.team\\.[a-z]+$/",
        "sluiceway.error",
    }
    assert "?x=" not in text


async def test_13_an_answer_repeats_neither_address_nor_user_agent(serving):
    async with serving(peer="203.0.113.77") as client:
        answer = await client.post("/v1/events", json=[BAD] * 100, headers={"user-agent": "Sec/1"})

        assert answer.status_code == 400
        assert "203.0.113.77" not in answer.text
        assert "Sec/1" not in answer.text

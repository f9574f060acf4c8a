import json
import logging
from urllib.parse import quote

import pytest

CAPSULE = {"schema": "DemoButtonClick", "revision": 1, "wiki": "demo", "event": {"button": "save"}}


def query_of(capsule):
    return quote(json.dumps(capsule), safe="")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/beacon/event", "/beacon/event.gif", "/event.gif"])
async def test_a_beacon_is_answered_204_and_stored(client, method, path):
    answer = await client.request(method, f"{path}?{query_of(CAPSULE)};")

    assert answer.status_code == 204
    assert answer.content == b""
    (stored,) = client.journal.stored
    assert stored["event"] == {"button": "save"}
    assert stored["meta"]["stream"] == "eventlogging_DemoButtonClick"
    assert stored["$schema"] == "/demo/legacy/buttonclick/1.0.0"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("%7Bnope", "malformed"),
        ("%FF", "malformed"),
        (query_of(CAPSULE | {"event": {"n": float("nan")}}), "malformed"),
        (query_of({"event": {}}), "missing_field"),
        (query_of(CAPSULE | {"schema": "Nope"}), "unmapped_schema"),
        (query_of(CAPSULE | {"event": {"button": 7}}), "schema_violation"),
        (query_of(CAPSULE | {"extra": 7}), "schema_violation"),
    ],
)
async def test_a_bad_beacon_is_204_too_and_shows_on_the_error_stream(client, query, reason):
    answer = await client.get(f"/beacon/event?{query}")

    assert answer.status_code == 204
    assert client.journal.stored == []
    (error,) = client.journal.errors
    assert error["reason"] == reason
    assert error["source"] == "beacon"


@pytest.mark.parametrize(
    "path", ["/beacon/event", "/beacon/event?", "/event.gif", f"/beacon/event/?{query_of(CAPSULE)}"]
)
async def test_a_beacon_without_a_query_or_on_another_path_is_ignored(client, path):
    assert (await client.get(path)).status_code == 204

    assert client.journal.events() == []


async def test_options_and_the_known_scanner_are_answered_but_not_processed(client):
    url = f"/beacon/event?{query_of(CAPSULE)};"

    options = await client.options(url)
    scanner = await client.get(url, headers={"user-agent": "Fuzz Faster U Fool v1.0"})

    assert (options.status_code, scanner.status_code) == (204, 204)
    assert client.journal.events() == []


async def test_the_body_of_a_post_is_ignored(client):
    answer = await client.post(f"/beacon/event?{query_of(CAPSULE)};", content=b"\xff" * 1000)

    assert answer.status_code == 204
    assert answer.headers["connection"] == "close"
    assert len(client.journal.stored) == 1


async def test_the_capsules_user_agent_stands_before_the_header(serving):
    capsule = CAPSULE | {"userAgent": "OldApp/1.0"}
    async with serving() as client:
        await client.get(f"/beacon/event?{query_of(capsule)};", headers={"user-agent": "curl"})

        (stored,) = client.journal.stored
        assert stored["http"]["request_headers"]["user-agent"] == "OldApp/1.0"


async def test_what_a_client_says_about_its_address_is_never_stored(serving):
    secrets = {
        "clientIp": "hash-of-an-address",
        "ip": "192.0.2.1",
        "uuid": "u" * 32,
        "recvFrom": "evil.example",
    }
    async with serving(peer="203.0.113.9") as client:
        await client.get(f"/beacon/event?{query_of(CAPSULE | secrets)};")
        await client.get(f"/beacon/event?{query_of(CAPSULE | secrets | {'wiki': 7})};")

        text = json.dumps(client.journal.events())
        assert len(client.journal.stored) == 1
        assert len(client.journal.errors) == 1
        for secret in secrets.values():
            assert secret not in text


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", ["/beacon/event", "/event.gif"])
@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_capsules_may_come_as_json_one_or_many(client, path, kind):
    one = await client.post(path, content=json.dumps(CAPSULE), headers={"content-type": kind})
    two = await client.post(
        path,
        content=json.dumps([CAPSULE, CAPSULE | {"revision": 2}]),
        headers={"content-type": kind},
    )

    assert (one.status_code, two.status_code) == (204, 204)
    assert one.content == two.content == b""
    assert [event["revision"] for event in client.journal.stored] == [1, 1, 2]
    assert {event["$schema"] for event in client.journal.stored} == {
        "/demo/legacy/buttonclick/1.0.0"
    }


async def test_each_of_many_capsules_has_its_own_end(client):
    bad = [7, {"event": {}}, CAPSULE | {"schema": "Nope"}, CAPSULE | {"wiki": 7}, CAPSULE]

    answer = await client.post("/beacon/event", json=bad)

    assert answer.status_code == 204
    assert len(client.journal.stored) == 1
    reasons = [error["reason"] for error in client.journal.errors]
    assert reasons == ["malformed", "missing_field", "unmapped_schema", "schema_violation"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nope", "malformed"),
        (b"[]", "malformed"),
        (b"  ", "malformed"),
        (b"[" + b",".join([b"{}"] * 10_001) + b"]", "too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_204_too_and_shows(client, content, reason):
    answer = await client.post("/beacon/event", content=content, headers=JSON)

    assert answer.status_code == 204
    (error,) = client.journal.errors
    assert error["reason"] == reason


async def test_a_body_beyond_the_limit_is_204_and_shows(serving):
    async with serving(http={"max_body_size": 4_194_304}) as client:
        answer = await client.post("/beacon/event", content=b" " * 4_194_305, headers=JSON)

        assert answer.status_code == 204
        assert answer.headers["connection"] == "close"
        assert [error["reason"] for error in client.journal.errors] == ["too_large"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_of_another_kind_is_not_read(client, kind):
    headers = {"content-type": kind} if kind else {}

    answer = await client.post("/beacon/event", content=json.dumps(CAPSULE), headers=headers)

    assert answer.status_code == 204
    assert client.journal.events() == []


async def test_a_query_stands_before_a_body_even_of_json(client):
    await client.post(f"/beacon/event?{query_of(CAPSULE)};", json=[CAPSULE, CAPSULE])

    assert len(client.journal.stored) == 1


async def test_a_post_of_json_without_a_body_is_ignored(client):
    await client.post("/beacon/event", headers=JSON)

    assert client.journal.events() == []


@pytest.mark.parametrize("more", [{}, {"schema": "Nope"}, {"wiki": 7}, {"event": {"n": "\ud800"}}])
@pytest.mark.parametrize("path", ["/beacon/event", "/v1/events"])
async def test_a_clients_address_in_json_is_never_stored(serving, path, more):
    secrets = {
        "clientIp": "hash-of-an-address",
        "ip": "192.0.2.1",
        "uuid": "u" * 32,
        "recvFrom": "evil.example",
    }
    async with serving(peer="203.0.113.9") as client:
        await client.post(path, content=json.dumps([CAPSULE | secrets | more]), headers=JSON)

        assert len(client.journal.events()) == 1
        text = json.dumps(client.journal.events())
        for secret in secrets.values():
            assert secret not in text


@pytest.mark.parametrize("cut", [0, 1, 20])
async def test_a_clients_address_in_a_query_that_cannot_be_read_is_not_stored_either(client, cut):
    query = query_of(
        {"ip": "192.0.2.1", "clientIp": "hash-of-an-address", "event": {"value": "x" * 30}}
    )
    query = query[: len(query) - cut] + ("%FF" if not cut else "")

    await client.get(f"/beacon/event?{query}")

    (error,) = client.journal.errors
    assert "192.0.2.1" not in json.dumps(error)
    assert "hash-of-an-address" not in json.dumps(error)
    assert "xxx" in error["raw_event"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
async def test_another_method_is_no_beacon(client, method):
    answer = await client.request(method, f"/beacon/event?{query_of(CAPSULE)}", content=b"{}")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert client.journal.events() == []


async def test_a_beacon_that_is_too_much_did_not_go_well_and_shows_in_the_access_log(
    serving, caplog
):
    caplog.set_level(logging.INFO, "app.web.accesslog")
    limits = {"requests_per_second": 0.001, "request_burst": 1}
    access = {"enabled": True, "sample": 0}
    async with serving(limits=limits, log={"access": access}) as client:
        for _ in range(2):
            await client.get(f"/beacon/event?{query_of(CAPSULE)}")

    (line,) = [each for each in caplog.records if each.name == "app.web.accesslog"]
    assert (line.status, line.error) == (204, 1)

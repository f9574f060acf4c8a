import json
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
    secrets = {"clientIp": "6a1b", "ip": "192.0.2.1", "uuid": "u" * 32, "recvFrom": "evil.example"}
    async with serving(peer="203.0.113.9") as client:
        await client.get(f"/beacon/event?{query_of(CAPSULE | secrets)};")
        await client.get(f"/beacon/event?{query_of(CAPSULE | secrets | {'wiki': 7})};")

        text = json.dumps(client.journal.events())
        assert len(client.journal.stored) == 1
        assert len(client.journal.errors) == 1
        for secret in secrets.values():
            assert secret not in text

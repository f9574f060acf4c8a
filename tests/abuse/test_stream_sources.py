"""A stream configuration whose server fails in every way there is: the last good one stays."""

import asyncio
import re
import time

import pytest

from tests.abuse import webserver
from tests.abuse.webserver import WebServer, becomes

PATH = "/streams"
TTL = 0.1
AGE = "sluiceway_stream_configuration_age_seconds"
COUNT = "sluiceway_streams_configured"
GOOD = {f"s{n}": {"schema_title": "any"} for n in range(10)}
MORE = GOOD | {"more": {"schema_title": "any"}}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
async def source():
    """A server that has ten streams."""
    async with WebServer() as server:
        server.put(PATH, GOOD)
        yield server


@pytest.fixture
def serving_from(serving, tmp_path):
    """Serve with streams from a server, which is asked again after a tenth of a second."""
    (tmp_path / "any").mkdir()
    (tmp_path / "any" / "1.0.0.json").write_text('{"title": "any"}')

    def serving_from(source, **streams):
        uri = f"{source.url}{PATH}"
        return serving(
            schemas={"base_uris": [str(tmp_path)]},
            streams={"uri": uri, "ttl": TTL, "timeout": 0.5, "retries": 0} | streams,
        )

    return serving_from


def event(stream="s9"):
    return {"$schema": "/any/1.0.0", "meta": {"stream": stream}}


async def metric(client, name):
    text = (await client.get("/metrics")).text
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])


async def status(client, stream="s9"):
    return (await client.post("/v1/events", json=event(stream))).status_code


async def until_asked(source, times):
    """Wait until the server was asked so many times more, and its answers were looked at."""
    asked = len(source.asked)

    async def is_so():
        return len(source.asked) > asked + times

    await becomes(is_so)


async def until_in_force(client, stream):
    async def is_so():
        return await status(client, stream) == 201

    await becomes(is_so)


TROUBLES = {
    "garbage": webserver.body(b"\x00\xff{"),
    "nothing": webserver.body(b""),
    "null": webserver.body(None),
    "empty": webserver.body({}),
    "a_list_of_nothing": webserver.body([]),
    "html": webserver.body(b"<!doctype html><title>Sign in: please</title>"),
    "another_document": webserver.body({"error": {"code": "maintenance"}}),
    "all_broken": webserver.body({name: {"title": "any"} for name in GOOD}),
    "more_than_half_missing": webserver.body({f"s{n}": GOOD[f"s{n}"] for n in range(4)}),
    "more_than_half_broken": webserver.body({**GOOD, **{f"s{n}": {} for n in range(6)}}),
    "server_error": webserver.status(500),
    "not_there": webserver.status(404),
    "no_content": webserver.status(204),
    "redirect_loop": webserver.redirect(PATH),
    "slow": webserver.slow,
    "hanging_up": webserver.hang_up,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_the_last_good_configuration_stays_and_its_age_shows(
    source, serving_from, caplog, trouble
):
    async with serving_from(source) as client:
        source.at(PATH, trouble)
        await until_asked(source, 2)
        age = await metric(client, AGE)
        began = time.monotonic()
        await until_asked(source, 1)

        during = [await status(client, name) for name in GOOD]
        elapsed = time.monotonic() - began
        older = await metric(client, AGE)
        count = await metric(client, COUNT)
        ready = await client.get("/readyz")

        source.put(PATH, MORE)
        await until_in_force(client, "more")
        recovered = await metric(client, AGE)

    assert set(during) == {201}
    assert count == len(GOOD) + 1  # and the error stream
    assert ready.status_code == 200
    # It grew as old as time has passed: nothing of what came in the trouble was taken.
    assert older - age >= elapsed
    assert recovered < older
    assert "the last good one stays in force" in caplog.text


async def test_flapping_never_takes_a_stream_away(source, serving_from):
    gone_and_back = [*TROUBLES.values()]
    gone_and_back.remove(webserver.slow)
    turns = iter(gone_and_back * 2)

    async def flapping(writer):
        well = len(source.asked) % 2
        await (webserver.body(GOOD) if well else next(turns, webserver.status(500)))(writer)

    async with serving_from(source, ttl=0.01) as client:
        source.at(PATH, flapping)
        seen = set()
        async with asyncio.timeout(60):
            while len(source.asked) < 40:
                seen |= {await status(client, "s0"), await status(client, "s9")}
                await asyncio.sleep(0.005)

    assert seen == {201}


async def test_a_service_starts_while_its_source_is_away_and_recovers(source, serving_from):
    await source.stop()
    async with serving_from(source) as client:
        ready = await client.get("/readyz")
        away = await client.post("/v1/events", json=event())
        none = await metric(client, COUNT)
        await source.start()

        await until_in_force(client, "s9")

        ready_then = await client.get("/readyz")

    assert ready.status_code == 503
    assert away.status_code == 503
    assert away.json()["error"][0]["reason"] == "streams_unavailable"
    assert none == 0
    assert ready_then.status_code == 200


async def test_a_configuration_of_five_gigabytes_is_cut_at_the_limit(source, serving_from):
    async with serving_from(source) as client:
        source.at(PATH, source.endless)
        await until_asked(source, 1)
        sent = source.sent
        source.put(PATH, MORE)

        await until_in_force(client, "more")

    # 4 MiB are read of each answer, and sockets and their readers hold some.
    assert sent < 2 * 16 * 1024 * 1024


async def test_half_of_the_streams_may_go_and_the_setting_says_how_many(source, serving_from):
    half = {f"s{n}": GOOD[f"s{n}"] for n in range(5)}
    async with serving_from(source) as lenient, serving_from(source, max_shrink=0.2) as strict:
        source.put(PATH, half | {"more": GOOD["s0"]})

        await until_in_force(lenient, "more")
        await until_asked(source, 4)

        gone = await lenient.post("/v1/events", json=event("s9"))
        kept = await strict.post("/v1/events", json=event("s9"))
        new = await strict.post("/v1/events", json=event("more"))

    assert gone.json()["invalid"][0]["reason"] == "unknown_stream"
    assert kept.status_code == 201
    assert new.json()["invalid"][0]["reason"] == "unknown_stream"

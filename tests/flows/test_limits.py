"""Clients that send more than they may, over HTTP."""

import math

import pytest

from app.auth.keys import hash_of, new_key
from tests.app.auth.issuer import AUDIENCE, ISSUER, standard_jwks, token

EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
KEY = new_key()
REQUESTS = {"requests_per_second": 0.01, "request_burst": 2}
EVENTS = {"events_per_second": 0.5, "event_burst": 4}
TRUSTED = {"trusted_proxies": ["127.0.0.1"]}


def sender(address):
    return {"x-client-ip": address}


async def statuses(client, count, body=EVENT, **headers):
    return [
        (await client.post("/v1/events", json=body, headers=headers)).status_code
        for _ in range(count)
    ]


async def test_one_request_too_many_is_429_with_the_seconds_to_wait(serving):
    async with serving(limits=REQUESTS) as client:
        assert await statuses(client, 2) == [201, 201]

        answer = await client.post("/v1/events", json=EVENT)

        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "100"
        (entry,) = answer.json()["error"]
        assert entry["reason"] == "rate_limited"
        assert len(client.journal.events()) == 2  # and no error event


async def test_it_is_said_before_the_body_is_read(serving):
    async with serving(limits=REQUESTS) as client:
        await statuses(client, 2)

        got = await statuses(client, 1, "no event") + await statuses(client, 1, [])

        assert got == [429, 429]


async def test_events_are_counted_one_by_one(serving):
    async with serving(limits=EVENTS) as client:
        assert await statuses(client, 2, [EVENT] * 3) == [201, 201]

        answer = await client.post("/v1/events", json=EVENT)

        assert answer.status_code == 429
        # 2 in debt, and one to be had, at 0.5 a second; some time has passed meanwhile.
        assert int(answer.headers["retry-after"]) in {math.ceil(3 / 0.5), math.ceil(3 / 0.5) - 1}


async def test_each_address_has_its_own_limit(serving):
    async with serving(limits=REQUESTS, http=TRUSTED) as client:
        first = await statuses(client, 3, **sender("192.0.2.1"))
        second = await statuses(client, 1, **sender("192.0.2.2"))
        network = await statuses(client, 2, **sender("2001:db8::1"))
        neighbour = await statuses(client, 1, **sender("2001:db8::ffff"))

        assert (first, second) == ([201, 201, 429], [201])
        assert (network, neighbour) == ([201, 201], [429])


async def test_an_address_that_is_only_claimed_does_not_help(serving):
    async with serving(limits=REQUESTS, peer="192.0.2.9") as client:
        got = [(await statuses(client, 1, **sender(f"192.0.2.{n}")))[0] for n in range(3)]

        assert got == [201, 201, 429]


async def test_who_is_known_is_limited_wherever_they_send_from(serving):
    auth = {"api_keys": {"importer": hash_of(KEY)}}
    async with serving(limits=REQUESTS, http=TRUSTED, auth=auth) as client:
        known = {"authorization": f"Bearer {KEY}"}
        got = [(await statuses(client, 1, **known, **sender(f"192.0.2.{n}")))[0] for n in range(3)]
        others = await statuses(client, 1, **sender("192.0.2.1"))

        assert got == [201, 201, 429]
        assert others == [201]


async def test_wrong_credentials_count_for_the_address_and_not_for_whom_they_claim(serving):
    auth = {"api_keys": {"importer": hash_of(KEY)}}
    async with serving(limits=REQUESTS, auth=auth) as client:
        guesses = await statuses(client, 4, authorization=f"Bearer {new_key()}")
        broken = await statuses(client, 1, authorization="Bearer")
        right = await statuses(client, 1, authorization=f"Bearer {KEY}")

        assert guesses == [401, 401, 429, 429]
        assert broken == [429]
        assert right == [201]


async def test_where_too_much_comes_from_new_tokens_are_not_even_looked_at(serving, tmp_path):
    (tmp_path / "jwks.json").write_bytes(standard_jwks())
    keys = {"jwks": str(tmp_path / "jwks.json"), "issuer": ISSUER, "audience": [AUDIENCE]}
    seen, fresh = token(sub="seen"), token(sub="fresh")
    async with serving(limits=REQUESTS, auth={"jwt": keys}) as client:
        before = await statuses(client, 1, authorization=f"Bearer {seen}")
        await statuses(client, 3, authorization="Bearer x.y.z")

        new = await statuses(client, 1, authorization=f"Bearer {fresh}")
        known = await statuses(client, 1, authorization=f"Bearer {seen}")

        assert (before, new, known) == ([201], [429], [201])


async def test_beacons_too_many_are_204_gone_and_counted(serving):
    capsule = '/beacon/event?{"schema":"DemoButtonClick","revision":1,"event":{"button":"save"}};'
    async with serving(limits=REQUESTS) as client:
        answers = [(await client.get(capsule)).status_code for _ in range(3)]

        assert answers == [204, 204, 204]
        assert len(client.journal.stored) == 2
        metrics = (await client.get("/metrics")).text
        assert 'reason="rate_limited",source="beacon"' in metrics


async def test_beacons_of_many_capsules_count_each(serving):
    capsules = [{"schema": "DemoButtonClick", "revision": 1, "event": {"button": "save"}}] * 4
    async with serving(limits=EVENTS) as client:
        for _ in range(2):
            assert (await client.post("/beacon/event", json=capsules)).status_code == 204

        assert len(client.journal.stored) == 4


async def test_test_events_are_no_way_around_it(serving):
    async with serving(limits=REQUESTS) as client:
        await statuses(client, 2)

        answer = await client.get("/v1/_test/events")

        assert answer.status_code == 429


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/v1/stream-configs"])
async def test_what_only_reads_is_not_limited(serving, path):
    async with serving(limits=REQUESTS) as client:
        got = {(await client.get(path)).status_code for _ in range(5)}

        assert got == {200}

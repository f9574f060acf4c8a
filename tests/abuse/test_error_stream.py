"""The error stream fails, hangs or refuses: it is counted, and no request is the worse for it."""

import asyncio
import json
import time

import pytest

from app.core.errors import RecordRefused, SinkUnavailable, UnknownDelivery
from app.pipeline.respite import SLOW
from app.sinks.memory import MemorySink

ERRORS = "sluiceway.error"
GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
BAD = GOOD | {"button": 7}
CAPSULE = "%7B%22schema%22%3A%22Nope%22%2C%22event%22%3A%7B%7D%7D;"
FAILURES = [SinkUnavailable, RecordRefused, UnknownDelivery]


def failing(failure, *, held=0.0):
    """A sink whose error stream fails, after so many seconds."""

    class Failing(MemorySink):
        async def produce(self, records):
            if held and any(record.stream == ERRORS for record in records):
                await asyncio.sleep(
                    held
                )  # as a sink does that waits for a broker until it gives up
            return await super().produce(records)

    return Failing(answer=lambda record: failure("No.") if record.stream == ERRORS else None)


async def counted(client):
    """How many error events were made, by what became of them."""
    text = (await client.get("/metrics")).text
    head = 'sluiceway_error_events_total{status="'
    return {
        line.removeprefix(head).partition('"')[0]: float(line.split()[-1])
        for line in text.splitlines()
        if line.startswith(head)
    }


@pytest.mark.parametrize("failure", FAILURES)
async def test_an_error_stream_that_fails_is_counted_and_changes_no_answer(serving, failure):
    async with serving() as client:
        wanted = [
            (answer.status_code, answer.content)
            for answer in [
                await client.post("/v1/events", json=sent) for sent in ([GOOD, BAD], BAD)
            ]
        ]
    sink = failing(failure)
    async with serving(sink=sink) as client:
        for sent, expected in zip(([GOOD, BAD], BAD), wanted, strict=True):
            answer = await client.post("/v1/events", json=sent)

            assert (answer.status_code, answer.content) == expected
        hasty = await client.post("/v1/events?hasty", json=[GOOD, BAD])
        beacon = await client.get(f"/beacon/event?{CAPSULE}")

        assert (hasty.status_code, beacon.status_code) == (202, 204)
        assert [record.stream for record in sink.records] == ["demo.button.click"] * 2
        assert await counted(client) == {"failed": 4.0}


async def test_of_an_error_event_that_fails_no_further_one_is_made(serving):
    asked = []

    def answer(record):
        asked.append(record.stream)
        return RecordRefused("Never.")  # which is told about, of any other event

    async with serving(sink=MemorySink(answer=answer)) as client:
        await client.post("/v1/events", json=[GOOD, BAD])

        # The event and the error event about the other; then one about the event itself.
        assert asked == ["demo.button.click", ERRORS, ERRORS]
        assert await counted(client) == {"failed": 2.0}


async def test_error_events_that_are_themselves_invalid_are_counted_and_go_no_further(
    serving, tmp_path
):
    """The stream's schema wants what no error event has: each of them breaks it."""
    folder = tmp_path / "schemas" / "error"
    folder.mkdir(parents=True)
    fields = ("$schema", "dt", "emitter_id", "message", "raw_event")
    schema = {
        "title": "error",
        "$id": "/error/1.0.0",
        "type": "object",
        "required": ["meta", "never"],
        "properties": {name: {"type": "string"} for name in fields}
        | {"meta": {"type": "object", "properties": {"stream": {"type": "string"}}}},
    }
    (folder / "1.0.0.json").write_text(json.dumps(schema))
    (tmp_path / "streams.json").write_text(json.dumps({"a.b": {"schema_title": "a/b"}}))
    async with serving(
        schemas={"base_uris": [str(tmp_path / "schemas")]},
        streams={"uri": str(tmp_path / "streams.json")},
        error_stream={"name": "my.errors", "schema_uri": "/error/1.0.0"},
    ) as client:
        answers = [
            await client.post("/v1/events", content=body)
            for body in (b"nope", b"[7, {}]", b'{"meta": {"stream": "my.errors"}}')
        ]

        assert [answer.status_code for answer in answers] == [400] * 3
        assert client.journal.events() == []
        assert await counted(client) == {"refused": 4.0}


@pytest.mark.parametrize("name", ["not JSON", "bytes", "deep", "long", "forged"])
async def test_whatever_is_told_about_the_error_event_is_valid(client, name):
    body = {
        "not JSON": b'{"a": ' + b"\xff\x00\x1b" * 500,
        "bytes": bytes(range(256)) * 8,
        "deep": b'{"a":' * 5_000,
        "long": json.dumps(BAD | {"note": "\u20ac" * 300_000}).encode(),
        "forged": json.dumps(
            BAD | {"errored_stream_name": 7, "raw_event": {}, "meta": {"domain": {}, "uri": []}}
        ).encode(),
    }[name]

    answer = await client.post("/v1/events", content=body)

    assert answer.status_code == 400
    (told,) = client.journal.errors
    assert told["reason"]
    assert await counted(client) == {"produced": 1.0}


async def test_an_error_stream_that_hangs_holds_up_the_first_request_and_no_other(serving):
    hangs = SLOW * 1.2
    async with serving(sink=failing(SinkUnavailable, held=hangs)) as client:
        first = await client.post("/v1/events", json=[GOOD, BAD])
        started = time.monotonic()

        others = [await client.post("/v1/events", json=[GOOD, BAD]) for _ in range(20)]

        took = time.monotonic() - started
        print(f"\n20 requests in {took * 1000:.0f} ms, after one of {hangs:g} s")
        assert {answer.status_code for answer in [first, *others]} == {207}
        assert took < hangs
        assert await counted(client) == {"failed": 21.0}


async def test_a_client_cannot_write_to_the_error_stream_nor_fill_it_by_trying(client):
    forged = {"$schema": "/error/1.0.0", "meta": {"stream": ERRORS}, "message": "forged"}

    answer = await client.post("/v1/events", json=[forged] * 3)

    assert answer.status_code == 400
    assert {told["reason"] for told in client.journal.errors} == {"stream_reserved"}
    assert len(client.journal.events()) == 3

"""Old kinds of events on the modern wire: capsules and EventBus events, told by their shape."""

import json
from urllib.parse import quote

import pytest

from app.core.events import Context, RawEvent
from app.service import open_service
from app.settings import Settings
from app.sinks.memory import MemorySink
from legacy.formats import LineFormat
from tests.support import Journal

CAPSULE = {"schema": "DemoButtonClick", "revision": 1, "wiki": "demo", "event": {"button": "save"}}
MODERN = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
EVENTBUS = {
    "meta": {
        "topic": "demo.button.click",
        "schema_uri": "demo/button/click/1",
        "id": "11111111-2222-1333-8444-555555555555",
        "dt": "2018-01-02T03:04:05+00:00",
    },
    "button": "save",
}


async def test_a_capsule_is_taken_like_a_beacon(client):
    answer = await client.post("/v1/events", json=CAPSULE | {"dt": "2018-01-02T03:04:05"})

    assert answer.status_code == 201
    (stored,) = client.journal.stored
    assert stored["$schema"] == "/demo/legacy/buttonclick/1.0.0"
    assert stored["meta"]["stream"] == "eventlogging_DemoButtonClick"
    assert stored["event"] == {"button": "save"}
    assert stored["client_dt"] == "2018-01-02T03:04:05.000Z"


async def test_an_eventbus_event_is_put_onto_its_stream(client):
    answer = await client.post("/v1/events", json=EVENTBUS)

    assert answer.status_code == 201
    (stored,) = client.journal.stored
    assert stored["$schema"] == "/demo/button/click/1.0.0"
    assert stored["meta"]["stream"] == "demo.button.click"
    assert stored["meta"]["id"] == EVENTBUS["meta"]["id"]
    assert stored["meta"]["dt"] > "2024"
    assert "topic" not in stored["meta"]
    assert "schema_uri" not in stored["meta"]


async def test_an_eventbus_event_without_a_schema_follows_its_streams_latest(client):
    meta = {"topic": "demo.button.click"}

    answer = await client.post("/v1/events", json=EVENTBUS | {"meta": meta})

    assert answer.status_code == 201
    assert client.journal.stored[0]["$schema"].startswith("/demo/button/click/")


async def test_all_kinds_may_come_in_one_batch(client):
    answer = await client.post("/v1/events", json=[MODERN, CAPSULE, EVENTBUS, MODERN])

    assert answer.status_code == 201
    streams = [event["meta"]["stream"] for event in client.journal.stored]
    assert streams == [
        "demo.button.click",
        "eventlogging_DemoButtonClick",
        "demo.button.click",
        "demo.button.click",
    ]


@pytest.mark.parametrize(
    ("event", "reason", "pointer"),
    [
        (CAPSULE | {"schema": "Nope"}, "unmapped_schema", "/schema"),
        (CAPSULE | {"schema": 7}, "missing_field", "/schema"),
        (CAPSULE | {"event": {"button": 7}}, "schema_violation", "/event/button"),
        ({"meta": {"topic": "nope"}}, "unknown_stream", "/meta/stream"),
        ({"meta": {"topic": 7}}, "missing_field", "/meta/topic"),
        (
            {"meta": {"topic": "demo.button.click", "schema_uri": "demo/order/placed/1"}},
            "schema_not_allowed",
            "/$schema",
        ),
        ({"meta": {"stream": "demo.button.click"}}, "missing_field", "/$schema"),
    ],
)
async def test_the_sender_is_told_what_is_wrong_with_an_old_event(client, event, reason, pointer):
    answer = await client.post("/v1/events", json=event)

    assert answer.status_code == 400
    (item,) = answer.json()["invalid"]
    assert (item["reason"], item["pointer"]) == (reason, pointer)
    assert item["event"] == event


async def test_old_events_may_be_sent_hastily(client):
    answer = await client.post("/v1/events?hasty=true", json=[CAPSULE, EVENTBUS])

    assert answer.status_code == 202
    assert len(client.journal.stored) == 2


async def test_what_the_url_names_a_schema_for_is_a_modern_event(serving):
    names = {"stream_query_param": "stream", "schema_uri_query_param": "schema"}
    async with serving(http=names) as client:
        url = "/v1/events?stream=demo.button.click&schema=/demo/button/click/1.0.0"
        answer = await client.post(url, json=CAPSULE | {"button": "save"})

        assert answer.status_code == 201
        (stored,) = client.journal.stored
        assert stored["$schema"] == "/demo/button/click/1.0.0"
        assert stored["meta"]["stream"] == "demo.button.click"


LINE = f'?{quote(json.dumps(CAPSULE))};\tcp1\t7\t2018-03-04T05:06:07\t192.0.2.1\t"Old/1"\n'.encode()


async def processed(*lines, **context):
    """What is stored of old log lines, by the service that serves."""
    sink = MemorySink()
    async with open_service(Settings(), sink=sink) as service:
        about = Context(source="log", received_ms=1_700_000_000_000, **context)
        decode = service.log_line_decoder(about, LineFormat.parse("2018-02"))
        outcomes = await service.process([RawEvent(line) for line in lines], about, decode)
    return outcomes, Journal(sink)


async def test_a_log_line_is_stored_as_what_was_received_when_it_was_logged():
    _, journal = await processed(LINE)

    (stored,) = journal.stored
    assert stored["dt"] == "2018-03-04T05:06:07.000Z"
    assert stored["recvFrom"] == "cp1"
    assert stored["http"]["request_headers"]["user-agent"] == "Old/1"
    assert stored["event"] == {"button": "save"}


async def test_a_log_line_that_is_read_twice_is_the_same_event_twice():
    _, journal = await processed(LINE, LINE, LINE.replace(b"\t7\t", b"\t8\t"))

    first, again, other = (event["meta"]["id"] for event in journal.stored)
    assert first == again != other


async def test_what_is_told_of_a_bad_log_line_names_no_address():
    bad = LINE.replace(b"DemoButtonClick", b"Nope"), LINE[10:], LINE.replace(b"%7B", b"%7", 1)

    outcomes, journal = await processed(*bad)

    assert [o.reason for o in outcomes] == ["unmapped_schema", "malformed", "malformed"]
    assert len(journal.errors) == 3
    assert "192.0.2.1" not in json.dumps(journal.errors)
    assert "Old/1" not in json.dumps(journal.errors)

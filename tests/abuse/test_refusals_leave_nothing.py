"""What is refused is gone with its answer: nothing of it waits for the garbage collector.

Exceptions hold on to the frames that raised them, and so to bodies of megabytes; where an outcome
holds the exception and a frame the outcome, only the collector frees them, and it comes seldom.
"""

import asyncio
import gc
import gzip
import json
from contextlib import suppress

import pytest

from app.core.errors import EventError, RecordRefused, SinkUnavailable
from app.core.events import Event, Outcome, RawEvent
from app.sinks.memory import MemorySink
from app.web.guard import Refusal

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
CAPSULE = {"schema": "DemoButtonClick", "revision": 1, "event": {"button": 7}}
GZIP = {"content-encoding": "gzip"}
JSON = {"content-type": "application/json"}

REFUSED = {
    "no JSON": ("/v1/events", b"x" * 100_000, {}),
    "no body": ("/v1/events", b"", {}),
    "no array": ("/v1/events", b"[]", {}),
    "cut": ("/v1/events", json.dumps([GOOD] * 100)[:-1].encode(), {}),
    "too many": ("/v1/events", b"[" + b"{}," * 10_001 + b"{}]", {}),
    "too large": ("/v1/events", b" " * (10 * 1024 * 1024 + 1), {}),
    "a bomb": ("/v1/events", gzip.compress(b" " * (11 * 1024 * 1024)), GZIP),
    "a bomb for a thread": ("/v1/events", gzip.compress(b" ") * 500_000, GZIP),
    "damaged": ("/v1/events", gzip.compress(b"x" * 1000)[:-3], GZIP),
    "another type": ("/v1/events", b"{}", {"content-type": "text/html"}),
    "a bad query": ("/v1/events?hasty=perhaps", b"{}", {}),
    "a violation": ("/v1/events", json.dumps([GOOD, GOOD | {"button": 7}]).encode(), {}),
    "no stream": ("/v1/events", json.dumps(GOOD | {"meta": {"stream": "x"}}).encode(), {}),
    "no schema": ("/v1/events", json.dumps(GOOD | {"$schema": "/x/1.0.0"}).encode(), {}),
    "an odd schema": ("/v1/events", json.dumps(GOOD | {"$schema": "//x"}).encode(), {}),
    "half a character": ("/v1/events", b'[{"a": "\\ud800"}]', {}),
    "hasty": ("/v1/events?hasty", b"[7, {}]", {}),
    "a beacon": ("/beacon/event?%7B", b"", {}),
    "a beacon of JSON": ("/beacon/event", json.dumps(CAPSULE).encode(), JSON),
    "a beacon of none": ("/beacon/event", b"x" * 100_000, JSON),
}


@pytest.fixture
def collector():
    """The garbage collector stands still; what it then finds is what waited for it."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def waiting() -> list[object]:
    """Return what is ours of the garbage that nothing but the collector frees."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    ours = (EventError, Refusal, Outcome, RawEvent, Event)
    found = [each for each in gc.garbage if isinstance(each, ours)]
    gc.garbage.clear()
    return found


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_request_leaves_nothing_behind(client, collector, name):
    path, body, headers = REFUSED[name]

    answer = await client.post(path, content=body, headers=headers)

    assert answer.status_code in {202, 204, 207, 400, 413, 415}
    assert client.journal.errors
    assert waiting() == []


@pytest.mark.parametrize("failure", [SinkUnavailable, RecordRefused])
async def test_neither_does_one_that_the_sink_refuses(serving, collector, failure):
    async with serving(sink=MemorySink(answer=lambda _: failure("No."))) as client:
        answer = await client.post("/v1/events", json=[GOOD, 7])

        assert answer.status_code in {400, 503}
        assert waiting() == []


@pytest.mark.parametrize("ending", ["leaves", "is too slow", "sends too much"])
async def test_neither_does_one_whose_body_never_comes_to_its_end(serving, collector, ending):
    part = {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}
    told = []

    async def receive():
        if receive.left > 0:
            receive.left -= 1
            return part
        if ending == "leaves":
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    async def send(message):
        told.append(message.get("status"))

    receive.left = 12 if ending == "sends too much" else 3
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/events",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    async with serving(http={"body_timeout": 0.2}) as client:
        with suppress(TimeoutError):  # of what comes after the limit a part is taken in
            await asyncio.wait_for(client.app(scope, receive, send), 5)

        assert told[:1] == {"leaves": [], "is too slow": [408], "sends too much": [413]}[ending]
        assert waiting() == []


def test_such_garbage_would_be_seen(collector):
    error = EventError("x")
    error.__context__ = Refusal(error)
    del error

    assert {type(each) for each in waiting()} == {EventError, Refusal}

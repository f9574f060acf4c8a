"""The whole service in this process: whatever is sent, one outcome per event, never a 5xx.

What is stored is what was sent, with the server's own fields; and both wires say the same.
"""

import asyncio
import atexit
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from app.core.events import Outcome
from app.core.json import JsonError, loads
from app.settings import Settings
from app.sinks.memory import MemorySink
from app.web.application import create_app
from tests.abuse.corpora.wires import CAPSULE, MODERN, settings
from tests.fuzz.target import Target, chosen, split
from tests.fuzz.targets import capsules
from tests.fuzz.targets import json as texts
from tests.support import in_lifespan

ANSWERS = frozenset((201, 202, 204, 207, 400, 413, 415))
HEADERS = [(b"content-type", b"application/json"), (b"user-agent", b"fuzz")]


class _World:
    """A service that runs on a loop of its own, and what became of the last request."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.sink = MemorySink(max_records=100_000)
        made = settings(Path(self._folder.name))
        self._app = create_app(Settings(**made, log={"level": "error"}), sink=self.sink)
        self._loop = asyncio.new_event_loop()
        self._lifespan = in_lifespan(self._app)
        self._loop.run_until_complete(self._lifespan.__aenter__())
        self.outcomes: list[Outcome] = []
        service = self._app._app.state.service
        service.pipeline.observers = [*service.pipeline.observers, self._observe]
        atexit.register(self._close)

    def ask(self, path: str, query: bytes, body: bytes | None) -> tuple[int, bytes]:
        """Send a request; return the status and the body of the answer."""
        self.sink.records.clear()
        self.outcomes.clear()
        return self._loop.run_until_complete(self._asked(path, query, body))

    @property
    def stored(self) -> list[dict[str, Any]]:
        """The events that the last request stored, without error events."""
        return [json.loads(r.value) for r in self.sink.records if r.stream != "sluiceway.error"]

    async def _asked(self, path: str, query: bytes, body: bytes | None) -> tuple[int, bytes]:
        scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [*HEADERS, (b"content-length", b"%d" % len(body or b""))],
            "client": ("203.0.113.5", 1),
        }
        status, answer = 0, b""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, answer
            status = message.get("status", status)
            answer += message.get("body", b"")

        await self._app(scope, receive, send)
        return status, answer

    def _observe(self, outcomes: Sequence[Outcome], _context: Any) -> None:
        self.outcomes.extend(outcomes)

    def _close(self) -> None:
        self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
        self._loop.close()
        self._folder.cleanup()


_worlds: list[_World] = []


def _world() -> _World:
    if not _worlds:
        _worlds.append(_World())
    return _worlds[0]


def one(data: bytes) -> None:
    """Send bytes; the first one chooses how."""
    choice, text = split(data, 4)
    world = _world()
    match choice:
        case 0:
            _check_both_wires(world, text)
        case 1:
            _check_body(world, "/v1/events", text)
        case 2:
            _check_body(world, "/beacon/event", text)
        case _:
            status, _ = world.ask("/beacon/event", text, None)
            assert status == 204
            assert len(world.outcomes) == (1 if text else 0)


def _check_both_wires(world: _World, text: bytes) -> None:
    """Send a text as a value of an event, and of a capsule."""
    status, answer = world.ask("/v1/events", b"", MODERN % text)
    modern = [outcome.reason for outcome in world.outcomes]
    stored = world.stored
    _check_outcomes(world, status, answer)
    query = quote_from_bytes(CAPSULE % text, safe="").encode()
    world.ask("/beacon/event", query, None)
    old = [outcome.reason for outcome in world.outcomes]
    # A text that ends the event and goes on may make it another one on each wire.
    if _is_one_value(text):
        assert modern == old, f"{modern} here, {old} there"
        assert [e["value"] for e in stored] == [e["value"] for e in world.stored]
        for event in stored:
            assert repr(event["value"]) == repr(loads(text)), "stored otherwise than sent"


def _check_body(world: _World, path: str, body: bytes) -> None:
    status, answer = world.ask(path, b"", body)
    _check_outcomes(world, status, answer)


def _check_outcomes(world: _World, status: int, answer: bytes) -> None:
    assert status in ANSWERS, f"{status}: {answer[:500]!r}"
    accepted = [o for o in world.outcomes if o.error is None]
    assert len(world.stored) == len(accepted), "not one record for each accepted event"
    if status in (207, 400, 413, 415):
        told = json.loads(answer)
        failed = [entry["index"] for entry in (*told["invalid"], *told["error"])]
        assert len(failed) == len(world.outcomes) - len(accepted), "not one entry for each failure"
        if failed != [None]:
            refused = [i for i, o in enumerate(world.outcomes) if o.error is not None]
            assert sorted(failed) == refused, "an entry about another event"
    for outcome, event in zip(accepted, world.stored, strict=True):
        sent = outcome.event.body if outcome.event else {}
        for name, value in sent.items():
            if name not in ("$schema", "meta", "http"):
                assert repr(event[name]) == repr(value), f"{name} is stored otherwise than sent"
        for name, value in (sent.get("meta") or {}).items():
            if name != "dt":
                assert repr(event["meta"][name]) == repr(value), f"meta.{name} was changed"


def _is_one_value(text: bytes) -> bool:
    try:
        loads(text)
    except JsonError:
        return b'"' not in text and b"}" not in text  # it can neither add members nor end anything
    return True


def seeds() -> list[bytes]:
    """Return values, bodies and queries."""
    values = [text for text in texts.seeds() if len(text) < 200]
    bodies = [
        MODERN % b"1",
        b"[" + MODERN % b"1" + b"," + MODERN % b'"\\ud800"' + b",7]",
        CAPSULE % b"[]",
        b'{"$schema":"/corpus/any/latest","meta":{"stream":"corpus.any","id":"a","dt":1}}',
        b'{"$schema":"/no/1.0.0","meta":{"stream":"no"}}',
        b'{"$schema":7,"meta":[]}',
        *capsules.seeds()[:10],
    ]
    return [
        *(chosen(0, text) for text in values),
        *(chosen(choice, body) for choice in (1, 2) for body in bodies),
        *(chosen(3, quote_from_bytes(body).encode()) for body in bodies),
    ]


TARGET = Target("pipeline", one, seeds)

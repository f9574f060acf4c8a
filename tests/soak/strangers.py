"""Clients that mean no good, each in its own way and at a bounded rate; none of them may matter."""

import asyncio
import gzip
import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.kafka.load import Load, Sent, event_of, post

GARBAGE = (
    b"",
    b"{",
    b"nonsense",
    b"[" * 5_000,
    b'{"a": NaN}',
    b'{"a": 1e400}',
    b"\xff\xfe\x00",
    b'{"a": "\\ud800"}',
    b'{"meta": {"stream": 7}}',
    b"[]",
    b"null",
)
BOMB = gzip.compress(b" " * 40_000_000, compresslevel=1)
OVERSIZED = 11 * 1024 * 1024
HALF_OPEN = 40
"""Connections that are held open, with half a request's head in them."""
PATIENCE = 30.0


@dataclass(slots=True)
class Strangers:
    """Attacks a service until the end of the block, from one task for each kind of attack.

    `told` counts statuses by attack, 0 where a connection ended without an answer. `marker` stands
    in what is sent, so that it can be looked for in logs. What must be refused is in `bad`, by id;
    what those clients send that is good is in the ledger of `load`, as everybody else's.
    """

    load: Load
    marker: str
    pace: float = 1.0
    told: Counter[tuple[str, int]] = field(default_factory=Counter)
    bad: set[str] = field(default_factory=set)
    _count: int = 0
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        attacks: list[tuple[Callable[[], Awaitable[int]], float]] = [
            (self.slow_body, 0.5),
            (self.bad_json, 0.05),
            (self.bomb, 2.0),
            (self.oversized, 2.0),
            (self.unknown_stream, 0.02),
            (self.unknown_schema, 0.05),
            (self.half_open, 0.2),
            (self.half_good, 0.1),
            (self.new_version, 2.0),
            (self.odd_request, 0.2),
        ]
        self._tasks = [
            asyncio.create_task(self._again(attack, pause * self.pace)) for attack, pause in attacks
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for end in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end  # an attack that had ended by itself was none any more

    async def slow_body(self) -> int:
        """Send a body byte by byte, for longer than anybody should wait."""
        async with _Connection(self.load) as wire:
            wire.write(_head(b"content-length: 500") + b"[")
            for _ in range(60):
                wire.write(b" ")
                await wire.drain()
                with suppress(TimeoutError):
                    return await wire.status(within=1.0)
        return 0

    async def bad_json(self) -> int:
        """Send what is no JSON, or none of ours."""
        self._count += 1
        body = GARBAGE[self._count % len(GARBAGE)]
        return await self._posted(body)

    async def bomb(self) -> int:
        """Send 40 MB of blanks as 40 KB of gzip."""
        return await self._posted(BOMB, b"content-encoding: gzip")

    async def oversized(self) -> int:
        """Send a body over the limit, without saying its length."""
        async with _Connection(self.load) as wire:
            wire.write(_head(b"transfer-encoding: chunked"))
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            for _ in range(OVERSIZED // 65536):
                wire.write(chunk)
                await wire.drain()
            return await wire.status()

    async def unknown_stream(self) -> int:
        """Name streams that nobody has ever heard of, each once."""
        self._count += 1
        return await self._posted(self._event(f"soak.n{self._count}.{uuid.uuid4().hex}"))

    async def unknown_schema(self) -> int:
        """Name schemas that nobody has, each once, on a stream that there is."""
        self._count += 1
        event = self._event(self.load.streams[0], schema=f"/soak/n{self._count}/1.0.0")
        return await self._posted(event)

    async def half_open(self) -> int:
        """Hold connections open with half a head in each, for as long as they are let."""
        wires: list[_Connection] = []
        try:
            for _ in range(HALF_OPEN):
                wire = await _Connection(self.load).__aenter__()
                wires.append(wire)
                wire.write(b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx-half: ")
                await asyncio.sleep(0.05)
            await asyncio.sleep(5)
        finally:
            for wire in wires:
                await wire.__aexit__()
        return 0

    async def half_good(self) -> int:
        """Send a batch of which one event is good and three are not, and remember which."""
        stream = self.load.streams[self._count % len(self.load.streams)]
        events = [
            self._numbered(stream),
            self._numbered(stream, bad=True) | {"seq": self.marker},
            self._numbered("soak.nowhere", bad=True, known=stream),
            self._numbered(stream, bad=True) | {"unexpected": self.marker},
        ]
        return await self._remembered(events)

    async def new_version(self) -> int:
        """Be the first to use a version of a schema, which is no attack at all: it has to work."""
        stream = self.load.streams[0]
        event = self._numbered(stream)
        event["$schema"] = f"/ledger/event/1.{self._count}.0"
        return await self._remembered([event])

    async def odd_request(self) -> int:
        """Ask for what there is not, or in a way that there is not."""
        self._count += 1
        heads = (
            f"GET /nowhere/{self._count} HTTP/1.1",
            "BREW /v1/events HTTP/1.1",
            f"GET /beacon/event?%7B{self.marker}%22 HTTP/1.1",
            f"GET /v1/schemas/soak/{self._count}/1.0.0 HTTP/1.1",
        )
        async with _Connection(self.load) as wire:
            head = heads[self._count % len(heads)]
            wire.write(f"{head}\r\nhost: x\r\nauthorization: {self.marker}\r\n\r\n".encode())
            return await wire.status()

    async def _again(self, attack: Callable[[], Awaitable[int]], pause: float) -> None:
        name = attack.__name__.replace("_", " ")
        while True:
            status = 0
            with suppress(OSError, EOFError, TimeoutError, ValueError):
                async with asyncio.timeout(PATIENCE + 60):
                    status = await attack()
            self.told[name, status] += 1
            await asyncio.sleep(pause if status else max(pause, 0.5))

    async def _posted(self, body: bytes, *headers: bytes) -> int:
        async with _Connection(self.load) as wire:
            wire.write(_head(b"content-length: %d" % len(body), *headers) + body)
            await wire.drain()
            return await wire.status()

    async def _remembered(self, events: list[dict]) -> int:
        ids = [event["meta"]["id"] for event in events]
        async with asyncio.timeout(PATIENCE), _Connection(self.load) as wire:
            status, body = await post(wire.reader, wire.writer, json.dumps(events).encode())
        self.load.note(ids, status, body)
        return status

    def _numbered(self, stream: str, *, bad: bool = False, known: str = "") -> dict:
        """Make an event that the ledger knows of."""
        self._count += 1
        event_id = str(uuid.uuid4())
        # Numbers of clients that are only one event old are never out of order.
        client = f"s{self._count}"
        self.load.sent[event_id] = Sent(known or stream, client, 0)
        if bad:
            self.bad.add(event_id)
        event = event_of(stream, event_id, client, 0, 100)
        return event | {"pad": self.marker}

    def _event(self, stream: str, schema: str = "/ledger/event/1.0.0") -> bytes:
        event = event_of(stream, str(uuid.uuid4()), "stranger", 0, 100)
        return json.dumps(event | {"$schema": schema, "pad": self.marker}).encode()


class _Connection:
    """A connection of a stranger's, which ends with its block."""

    def __init__(self, load: Load) -> None:
        self._address = (load.host, load.port)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def drain(self) -> None:
        await self.writer.drain()

    async def status(self, within: float = PATIENCE) -> int:
        """Return the status of the answer; raises EOFError or TimeoutError if none comes."""
        async with asyncio.timeout(within):
            line = await self.reader.readuntil(b"\r\n")
        return int(line.split()[1])


def _head(*headers: bytes) -> bytes:
    lines = (b"POST /v1/events HTTP/1.1", b"host: x", b"content-type: application/json", *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"

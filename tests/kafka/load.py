"""A load generator: clients that post batches one after the other and remember what they were told.

Each client writes to one stream and numbers its events, so that loss, doubles and order can be told
from what is read back.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, Self

SCHEMA = "/ledger/event/1.0.0"


@dataclass(slots=True)
class Sent:
    """One event and what its client was told: a status, or `nothing` if no answer came."""

    stream: str
    client: str
    seq: int
    told: str = "nothing"
    reason: str = ""


class Answer(NamedTuple):
    """When an answer came (monotonic), how long it took, its status, and whose it was."""

    at: float
    took: float
    status: int
    client: str

    @property
    def asked_at(self) -> float:
        return self.at - self.took


@dataclass(slots=True)
class Load:
    """Posts `batch` events per request from `clients` clients, each `pause` seconds apart."""

    host: str
    port: int
    streams: tuple[str, ...]
    clients: int = 12
    batch: int = 5
    size: int = 1000
    marker: str = ""
    """What every event's `pad` begins with, so that it can be looked for elsewhere."""
    pause: float = 0.03
    answer_timeout: float = 20.0
    sent: dict[str, Sent] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        for number in range(self.clients):
            stream = self.streams[number % len(self.streams)]
            self._tasks.append(asyncio.create_task(self._client(f"c{number}", stream)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    def told(self) -> Counter[str]:
        return Counter(each.told for each in self.sent.values())

    def slowest(self, since: float = 0.0) -> float:
        return max((each.took for each in self.answers if each.at >= since), default=0.0)

    async def _client(self, name: str, stream: str) -> None:
        seq = 0
        streams = None
        while not self._stop.is_set():
            events = []
            for _ in range(self.batch):
                event_id = str(uuid.uuid4())
                self.sent[event_id] = Sent(stream, name, seq)
                event = event_of(stream, event_id, name, seq, self.size)
                event["pad"] = self.marker + event["pad"]
                events.append(event)
                seq += 1
            started = time.monotonic()
            try:
                async with asyncio.timeout(self.answer_timeout):
                    if streams is None:
                        streams = await asyncio.open_connection(self.host, self.port)
                    status, body = await post(*streams, json.dumps(events).encode())
            except (OSError, EOFError, TimeoutError, ValueError):
                if streams:
                    streams[1].close()
                streams = None
                await self._wait(0.2)
                continue
            now = time.monotonic()
            self.answers.append(Answer(now, now - started, status, name))
            self.note([event["meta"]["id"] for event in events], status, body)
            await self._wait(self.pause)
        if streams:
            streams[1].close()

    def note(self, ids: list[str], status: int, body: bytes) -> None:
        """Remember what was told of the events of one request."""
        for event_id in ids:
            # Of a mixed answer, what is not listed is acknowledged.
            self.sent[event_id].told = "201" if status == 207 else str(status)
        if status == 202:
            assert json.loads(body)["durability"] == "spooled"
        if status < 207:
            return
        for kind, entries in json.loads(body).items():
            for entry in entries:
                one = self.sent[ids[entry["index"]]]
                if kind == "spooled":
                    one.told = "202"
                    continue
                one.reason = entry["reason"]
                if status == 207:
                    one.told = "400" if kind == "invalid" else _status(entry["reason"])

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass


def event_of(stream: str, event_id: str, client: str, seq: int, size: int = 1000) -> dict:
    return {
        "$schema": SCHEMA,
        "meta": {"stream": stream, "id": event_id},
        "client": client,
        "seq": seq,
        "pad": "x" * size,
    }


async def post(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    body: bytes,
    path: str = "/v1/events",
) -> tuple[int, bytes]:
    """Post over an open connection; return status and body. EOFError if the other side left."""
    writer.write(
        b"POST %b HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n" % (path.encode(), len(body)) + body
    )
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return int(lines[0].split()[1]), await reader.readexactly(length)


def _status(reason: str) -> str:
    return "504" if reason == "unknown_delivery" else "503"

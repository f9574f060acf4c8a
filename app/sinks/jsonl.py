"""A sink that writes events as lines of JSON, to a file or to standard output."""

import asyncio
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from app.core.errors import EventError
from app.core.events import Delivery, Record
from app.groupwriter import MIB, GroupWriter
from app.sinks.base import Health
from app.sinks.lines import LineFile, LineStream


class JsonlSink:
    """A sink of one line per event: the event itself, or with `envelope` also topic, key and time.

    `path` is a file, or `-` for standard output. With `fsync` a record is acknowledged when the
    disk has it, without when the operating system has it; it says nothing about standard output.
    The offset told is the position in bytes where the line begins.
    At most `max_pending_bytes` wait to be written; `timeout` bounds any wait for an answer.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        envelope: bool = False,
        fsync: bool = True,
        max_pending_bytes: int = 64 * MIB,
        max_pending_records: int = 100_000,
        timeout: float = 7.0,
    ) -> None:
        to_stdout = str(path) == "-"
        self.target = "jsonl standard output" if to_stdout else f"jsonl {path}"
        self._line_of = _envelope_of if envelope else _line_of
        self._output = LineStream() if to_stdout else LineFile(Path(path), fsync=fsync)
        self._writer = GroupWriter[Delivery](
            self._write,
            name="Standard output" if to_stdout else f"The file {path}",
            max_bytes=max_pending_bytes,
            max_records=max_pending_records,
            timeout=timeout,
        )
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the file and mend a line torn by a crash; raise ConfigError if that fails."""
        await asyncio.to_thread(self._output.open)
        self._writer.start()
        self._watch = asyncio.create_task(self._writer.watch())

    async def stop(self, grace: float) -> None:
        """Write what was taken, within `grace` seconds, and close."""
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if await asyncio.to_thread(self._writer.close, grace):
            self._output.close()

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        """Write the records; answer for each, in order, when the file has them."""
        return await self._writer.add(records)

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest records have waited to be written."""
        return self._writer.queue_time

    async def healthy(self) -> Health:
        """Say whether the last write went well, if it was a short while ago."""
        return Health(not self._writer.trouble, self._writer.trouble)

    def _write(self, records: Sequence[Record]) -> Sequence[Delivery]:
        lines = [self._line_of(record) for record in records]
        position = self._output.write(b"".join(lines))
        deliveries = []
        for record, line in zip(records, lines, strict=True):
            deliveries.append(Delivery("acked", record.topic, 0, position))
            position += len(line)
        return deliveries


def _line_of(record: Record) -> bytes:
    return _on_one_line(record.value) + b"\n"


def _envelope_of(record: Record) -> bytes:
    return b'{"topic":%b,"key":%b,"timestamp":%d,"value":%b}\n' % (
        _json_of(record.topic),
        b"null" if record.key is None else _on_one_line(record.key),
        record.timestamp_ms,
        _on_one_line(record.value),
    )


def _on_one_line(text: bytes) -> bytes:
    # In JSON a bare line feed stands between tokens only, where a space means the same.
    return text.replace(b"\n", b" ") if b"\n" in text else text


@lru_cache(maxsize=1024)
def _json_of(topic: str) -> bytes:
    return json.dumps(topic).encode()

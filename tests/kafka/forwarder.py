"""A TCP address on loopback that leads to another, and can be made slow, silent or closed.

It stands where a network would: between clients and a broker that itself stays healthy.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 65536


class Forwarder:
    """Forward every connection to `target`, from a thread of its own until `close`.

    All methods may be called from any thread, and act on open connections as on new ones.
    """

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0  # seconds that every byte takes, each way
        self.refusing = False  # new connections are closed at once
        self.held = 0  # bytes that stand at a closed gate now
        self._loop = asyncio.new_event_loop()
        self._requests = asyncio.Event()  # set: bytes may pass
        self._answers = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._open())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._connections)

    def hold(self, *, requests: bool = True, answers: bool = True) -> None:
        """Keep back what comes, as a network that swallows packets does: nobody is told.

        With `requests=False` the broker gets and does what it is asked, and only its answers
        are missing. What is held arrives after `release`, or never if `cut` comes first.
        """
        self._run(self._gate(requests=not requests, answers=not answers))

    def release(self) -> None:
        self._run(self._gate(requests=True, answers=True))

    def cut(self) -> None:
        """Close all open connections; what was held in them is lost."""
        self._run(self._cut())

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)

    async def _open(self) -> None:
        await self._gate(requests=True, answers=True)
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _gate(self, *, requests: bool, answers: bool) -> None:
        for gate, is_open in ((self._requests, requests), (self._answers, answers)):
            if is_open:
                gate.set()
            else:
                gate.clear()

    async def _cut(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _shut(self) -> None:
        assert self._server
        self._server.close()
        await self._cut()
        await self._server.wait_closed()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connection(
        self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter
    ) -> None:
        writers = [client_writer]
        try:
            if self.refusing:
                return
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(writer)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(client_reader, writer, self._requests))
                ways.create_task(self._pump(reader, client_writer, self._answers))
            for writer in writers:
                writer.close()  # both sides have said all, which may not be sent yet
        except* OSError:
            pass  # one side is gone, and in a moment the other
        finally:
            for writer in writers:
                if not writer.transport.is_closing():
                    writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        """Carry one direction; what is under way is bounded, so a slow reader is felt."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def deliver() -> None:
            while True:
                due, chunk = await under_way.get()
                await asyncio.sleep(due - self._loop.time())
                self.held += len(chunk)
                try:
                    await gate.wait()
                finally:
                    self.held -= len(chunk)
                if not chunk:
                    writer.write_eof()
                    return
                writer.write(chunk)
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            chunk = b"."
            while chunk:
                chunk = await reader.read(CHUNK)
                await under_way.put((self._loop.time() + self.delay, chunk))

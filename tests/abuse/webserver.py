"""A loopback http server whose answers are as bad as a test wants them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

CHUNK = b" " * 65536


class WebServer:
    """Answers each path as `put` or `at` said, everything else as `otherwise` says.

    `asked` lists the paths in the order in which they were asked for, `sent` counts bytes of
    endless bodies.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.contacted = asyncio.Event()
        self.sent = 0
        self.port = 0
        self.otherwise: Answer = status(404)
        self._answers: dict[str, Answer] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    def at(self, path: str, answer: Answer) -> None:
        self._answers[path] = answer

    def put(self, path: str, document: Any) -> None:
        self.at(path, body(document))

    async def endless(self, writer: asyncio.StreamWriter) -> None:
        """Send five gigabytes, or as many as are taken."""
        size = 5 * 1024**3
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while self.sent < size:
            writer.write(CHUNK)
            await writer.drain()
            self.sent += len(CHUNK)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split()[1].decode()
                self.asked.append(path)
                self.contacted.set()
                await self._answers.get(path, self.otherwise)(writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


def body(document: Any, code: int = 200) -> Answer:
    """Answer with a document: bytes as they are, anything else as JSON."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {code} X\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)

    return answer


def status(code: int) -> Answer:
    """Answer with a status and a few words."""
    return body(b"out of order", code)


def redirect(where: str) -> Answer:
    """Answer that it is elsewhere."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 302 X\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n"
        writer.write(head.encode())

    return answer


def after(gate: asyncio.Event, answer: Answer) -> Answer:
    """Answer once a gate is open."""

    async def answering(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await answer(writer)

    return answering


async def slow(writer: asyncio.StreamWriter) -> None:
    """Take ten seconds for an answer."""
    await asyncio.sleep(10)
    await body({"title": "late"})(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""
    writer.close()


async def becomes(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something is so that cannot tell by itself."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (nothing there tells when it happens)
            await asyncio.sleep(0.02)

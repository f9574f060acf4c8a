"""An http server in a few lines: one answer for every path, or one by path."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.app.diagnosis.fakebroker import serving


@asynccontextmanager
async def web_server(
    bodies: Mapping[str, bytes], *, date: str | None = None, status: int = 404
) -> AsyncIterator[str]:
    """Serve these bodies by path, and `status` elsewhere; yields the server's URI."""
    dated = f"date: {date}\r\n" if date else ""

    async def serve(reader, writer):
        asked = await reader.readuntil(b"\r\n\r\n")
        body = bodies.get(asked.split()[1].decode())
        first = "200 OK" if body is not None else f"{status} Other"
        head = f"HTTP/1.1 {first}\r\n{dated}content-length: {len(body or b'')}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode())
        writer.write(body or b"")
        await writer.drain()

    async with serving(serve) as address:
        yield f"http://{address}"

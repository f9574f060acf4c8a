import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from app import outgoing

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def server(asked):
    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split()[1].decode())
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_what_nobody_has_read_yet_may_not_be_much():
    async with (
        server([]) as url,
        outgoing.client(timeout=10) as client,
        client.stream("GET", url) as answer,
    ):
        wire = answer.extensions["network_stream"].get_extra_info("socket")
        size = wire.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        body = await answer.aread()

    assert body == b"ok"
    # Linux doubles what is asked for.
    assert size <= 2 * outgoing.RECEIVE_BUFFER


async def test_a_proxy_that_the_environment_names_is_heeded(monkeypatch):
    asked = []
    async with server(asked) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        async with outgoing.client(timeout=10) as client:
            answer = await client.get("http://schemas.example/a")

    assert answer.text == "ok"
    assert asked == ["http://schemas.example/a"]

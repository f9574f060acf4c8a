import asyncio
import socket

import pytest
import uvloop

from app import outgoing

ENOUGH = 100_000
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


async def taken_from_an_endless_answer():
    """Read a little of it; return how many bytes had left the sender by then."""
    sent = 0

    async def serve(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n")
        try:
            while True:
                writer.write(b" " * 65_536)
                sent += 65_536
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with outgoing.client(timeout=10) as client, client.stream("GET", url) as answer:
        size = 0
        async for part in answer.aiter_raw():
            size += len(part)
            if size > ENOUGH:
                break
    server.close()
    return sent


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_little_is_taken_of_an_answer_that_nobody_reads_to_its_end(run):
    assert run(taken_from_an_endless_answer()) < ENOUGH + 2_000_000


async def test_a_proxy_that_the_environment_names_is_heeded(monkeypatch):
    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split()[1])
        writer.write(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    asked = []
    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = proxy.sockets[0].getsockname()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{address[1]}")

    async with outgoing.client(timeout=10) as client:
        answer = await client.get("http://schemas.example/a")

    proxy.close()
    assert answer.status_code == 204
    assert asked == [b"http://schemas.example/a"]

"""Repositories in a folder, on a loopback server, or in memory; stores that open and close."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest

from app.core.errors import SchemaNotFound
from app.schemas.closure import closure_of
from app.schemas.drafts import draft_of
from app.schemas.repository import Found
from app.schemas.store import SchemaStore
from app.schemas.validator import Schema
from tests.support import Clock

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Folder:
    """A repository in a folder."""

    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def put(self, uri, document, extension=".yaml"):
        """Write a document, as text or as a value, where its URI says."""
        file = self.path / f"{uri.removeprefix('/')}{extension}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return file


class Server:
    """A loopback http server; `gate` holds back its answers while it is not set."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.heads = []
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0
        self.most_at_once = 0
        self._tasks = set()

    def put(self, path, document, status=200, **headers):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers[path] = (status, headers, body)

    def put_endless(self, path):
        self.answers[path] = None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split()[1].decode()
            self.asked.append(path)
            self.heads.append(head.decode().lower())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.arrived.set()
            await self.gate.wait()
            self.at_once -= 1
            answer = self.answers.get(path, (404, {}, b"no"))
            if answer is None:
                writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b" " * 65536)
                    await writer.drain()
                return
            status, headers, body = answer
            lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
            writer.write(
                f"HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {len(body)}\r\n"
                f"{lines}\r\n".encode()
                + body
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "repository")


@pytest.fixture
def folder_at():
    return Folder


@pytest.fixture
async def server():
    server = Server()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
async def opened():
    """Open a store on base URIs and close it at the end."""
    async with AsyncExitStack() as stack:

        async def opened(*base_uris, **settings):
            store = SchemaStore(base_uris=[str(uri) for uri in base_uris], **settings)
            await store.start()
            stack.push_async_callback(store.stop)
            return store

        yield opened


@pytest.fixture
def find_in():
    """Make a function that finds documents in a dict."""

    def find_in(documents):
        async def find(uri):
            if uri not in documents:
                raise SchemaNotFound(f"No schema repository has {uri}.")
            return Found(uri, documents[uri])

        return find

    return find_in


@pytest.fixture
def traced(find_in):
    """Trace what a document refers to, among other documents by URI."""

    async def traced(document, uri="/test/1.0.0", **settings):
        others = settings.pop("others", {})
        return await closure_of(uri, document, draft_of(document), find_in(others))

    return traced


@pytest.fixture
def compiled(traced):
    """Compile a document, with other documents by URI."""

    async def compiled(document, **settings):
        return Schema(await traced(document, **settings))

    return compiled

"""What tests share: the folder of real data where it exists, and a service in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import Settings
from app.sinks.memory import MemorySink
from app.web.application import create_app
from tests.support import Journal, in_lifespan

ROOT = Path(__file__).parent.parent
SHARED = ROOT / ".." / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real schemas, streams, events and vectors beside the project."""
    if not SHARED.is_dir():
        pytest.skip("real data (../shared/data) is not here")
    return SHARED.resolve()


@pytest.fixture
def serving():
    """Open a service with settings and return a client whose `journal` reads what was stored."""

    @asynccontextmanager
    async def serving(
        *, sink: MemorySink | None = None, peer: str = "127.0.0.1", **settings: Any
    ) -> AsyncIterator[Any]:
        sink = sink or MemorySink()
        app = create_app(Settings(**settings), sink=sink)
        async with in_lifespan(app):
            transport = httpx.ASGITransport(app=app, client=(peer, 123))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                del client.headers["user-agent"]  # a test says itself who it is
                client.journal = Journal(sink)
                client.app = app
                yield client

    return serving


@pytest.fixture
async def client(serving):
    """A client of a service that runs the demo on a memory sink."""
    async with serving() as client:
        yield client

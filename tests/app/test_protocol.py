import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from app import protocol
from app.protocol import LimitedProtocol


@pytest.fixture
def made(monkeypatch):
    """A protocol on a fake transport, of a server whose application is never reached."""

    config = uvicorn.Config(app=None, log_config=None, ws="none")
    config.load()

    def make():
        made = LimitedProtocol(
            config=config,
            server_state=ServerState(),
            app_state={},
            _loop=asyncio.get_running_loop(),
        )
        transport = FakeTransport()
        made.connection_made(transport)
        return made, transport

    return make


class FakeTransport:
    def __init__(self):
        self.written = b""
        self.closed = asyncio.Event()

    def write(self, data):
        self.written += data

    def close(self):
        self.closed.set()

    def is_closing(self):
        return self.closed.is_set()

    def get_extra_info(self, _name, default=None):
        return default


async def test_a_head_that_does_not_come_in_time_is_408(made, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.01)
    served, transport = made()
    served.data_received(b"GET / HTTP/1.1\r\nhost:")

    await asyncio.wait_for(transport.closed.wait(), 5)

    assert transport.written.startswith(b"HTTP/1.1 408 ")


async def test_a_closed_connection_has_no_deadline_left(made):
    served, _ = made()

    served.connection_lost(None)

    assert served._deadline is None

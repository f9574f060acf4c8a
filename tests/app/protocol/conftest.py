import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.protocol import Connection, HotRoute, Limits


class FakeTransport:
    """Keeps what is written; `unsent` is what the client has not taken in."""

    def __init__(self):
        self.written = b""
        self.unsent = 0
        self.is_closed = self.is_aborted = self.is_paused = False

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True

    def abort(self):
        self.is_closed = self.is_aborted = True

    def is_closing(self):
        return self.is_closed

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False

    def get_write_buffer_size(self):
        return self.unsent

    def get_extra_info(self, _name, default=None):
        return default


class EchoApp:
    """Answers each request with its body: below ASGI on /hot, through ASGI elsewhere."""

    def __init__(self):
        self.hot = {b"/hot": HotRoute("/hot", {b"POST": "POST"}, None)}
        self.whole = []
        self.through_asgi = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def answer_whole(self, exchange, _route):
        self.whole.append((exchange.scope, exchange.body))
        await self.may_answer.wait()
        exchange.write(200, b"content-length: %d\r\n\r\n%b" % (len(exchange.body), exchange.body))

    async def __call__(self, scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.through_asgi.append((scope, body))
        await self.may_answer.wait()
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def app():
    return EchoApp()


@pytest.fixture
def made(app):
    """Make a connection to the application, of a server if it is given one; on a fake transport."""

    def make(state=None, **limits):
        config = uvicorn.Config(app, log_config=None, ws="none", proxy_headers=False)
        config.load()
        loop = asyncio.get_running_loop()
        connection = Connection(
            Limits(**limits),
            config=config,
            server_state=state or ServerState(),
            app_state={},
            _loop=loop,
        )
        connection.connection_made(FakeTransport())
        return connection

    return make


@pytest.fixture
def settled():
    """Wait until every request of a connection that can be answered is."""

    async def settle(connection):
        for _ in range(1_000):
            await asyncio.sleep(0)
            if not connection.is_busy:
                return
        pytest.fail("a request has no answer")

    return settle

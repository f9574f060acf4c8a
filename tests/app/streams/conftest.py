"""A loopback HTTP server that answers as it is told, and time that passes when it is told."""

import asyncio
import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Answers:
    """What the server says next, and what it was asked; the last answer is said again and again."""

    def __init__(self, url):
        self.url = url
        self.queue = []
        self.requests = []
        self.release = threading.Event()

    def then(self, body, status=200, **headers):
        self.queue.append((status, headers, body))
        return self

    def next(self):
        return self.queue.pop(0) if len(self.queue) > 1 else self.queue[0]


@pytest.fixture
def answers(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Wire(BaseHTTPRequestHandler):
        def do_GET(self):
            told.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            status, headers, body = told.next()
            if status == 0:
                told.release.wait(30)
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client has heard enough
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Wire)
    told = Answers(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    told.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Time:
    """A clock that stands still, and a sleep that ends when a test lets it."""

    def __init__(self):
        self.now = 1_000.0
        self.sleeps = []
        self._asleep = asyncio.Event()
        self._wake = asyncio.Event()

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.sleeps.append(seconds)
        self._asleep.set()
        await self._wake.wait()
        self._wake.clear()

    async def until_asleep(self):
        """Wait until the code under test sleeps (again)."""
        await asyncio.wait_for(self._asleep.wait(), 30)
        self._asleep.clear()

    async def pass_sleep(self):
        """End the sleep in course, and wait for the next one."""
        self.now += self.sleeps[-1]
        self._wake.set()
        await self.until_asleep()


@pytest.fixture
async def passing():
    return Time()


@pytest.fixture
def unused_url(monkeypatch):
    """A URL of a port that nobody listens on."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"

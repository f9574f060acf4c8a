"""The http server that a service under soak has its schemas and streams from, and its moods."""

import contextlib
import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.kafka.scenario import SCHEMA, STREAMS

SCHEMA_MOODS = ("down", "slow", "html", "500", "endless", "another-id", "garbage", "loop")
STREAM_MOODS = ("garbage", "empty", "500", "shrunk", "flapping", "slow")
SLOW = 10.0
ENDLESS = 5 * 1024**3
FILLERS = 12
"""Streams that nobody writes to: those that are gone while the mood is `shrunk`."""

_VERSION = re.compile(r"/schemas/ledger/event/(1\.\d+\.\d+)")


class Sources:
    """Serves /schemas/ledger/event/1.x.y and /streams, each in the mood that was set last.

    `secret` must come with every request for the streams.
    """

    def __init__(self, secret: str) -> None:
        self.schemas = "well"
        self.streams = "well"
        self.asked: Counter[str] = Counter()
        self._secret = secret
        self._leaving = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._wire())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        """Return status and body; status 0: none at all."""
        area = "streams" if path == "/streams" else "schemas"
        self.asked[area] += 1
        mood = self.streams if area == "streams" else self.schemas
        if mood == "flapping":
            mood = ("well", "500", "empty", "garbage")[self.asked[area] % 4]
        match mood:
            case "down":
                return 0, b""
            case "slow":
                self._leaving.wait(SLOW)
            case "500":
                return 500, b"out of order"
            case "html":
                return 200, b"<!doctype html>\n<title>Sign in</title>\n<p>To go on, sign in."
            case "garbage":
                return 200, b"\x00\x01{"
            case "empty":
                return 200, b"{}"
        if area == "streams":
            if authorization != f"Bearer {self._secret}":
                return 403, b"who are you?"
            return 200, json.dumps(_streams(shrunk=mood == "shrunk")).encode()
        return _schema(path, another=mood == "another-id")

    def _wire(self) -> type[BaseHTTPRequestHandler]:
        sources = self

        class Wire(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(OSError):  # whoever asked has heard enough
                    self._tell()

            def _tell(self) -> None:
                is_schema = self.path != "/streams"
                if is_schema and sources.schemas == "endless":
                    self._never_end()
                    return
                if is_schema and sources.schemas == "loop":
                    self.send_response(302)
                    self.send_header("location", self.path)
                    self.end_headers()
                    return
                status, body = sources.answer(self.path, self.headers.get("authorization", ""))
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _never_end(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(ENDLESS))
                self.end_headers()
                for _ in range(ENDLESS // 65536):
                    self.wfile.write(b" " * 65536)

            def log_message(self, *_: Any) -> None:
                pass

        return Wire


def _streams(*, shrunk: bool) -> dict[str, Any]:
    table: dict[str, Any] = {
        name: {"schema_title": "ledger/event", "message_key_fields": {"client": "client"}}
        for name in STREAMS
    }
    if not shrunk:
        table |= {f"soak.filler{n}": {"schema_title": "soak/filler"} for n in range(FILLERS)}
    return table


def _schema(path: str, *, another: bool) -> tuple[int, bytes]:
    found = _VERSION.fullmatch(path)
    if not found:
        return 404, b"no such schema"
    version = "9.9.9" if another else found[1]
    return 200, json.dumps(SCHEMA | {"$id": f"/ledger/event/{version}"}).encode()

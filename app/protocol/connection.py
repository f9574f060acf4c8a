"""One connection of HTTP/1.1: uvicorn's, with an end to what it may take and how long.

Neither uvicorn nor its parser limits the size of a head, the time in which it has to arrive, or how
long a client may take to read its answer. There are no timers: whoever runs the server calls `look`
on every connection now and then.
"""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.protocol.exchange import Exchange, HotApp, HotRoute
from app.protocol.limits import MAX_HEAD, MAX_URL, Limits

_REASONS = {
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}
_UNREADABLE = "Invalid HTTP request received."


class Connection(HttpToolsProtocol):
    """Serves the requests of one client, one after the other.

    A head that is too large (414, 431) or too slow (408) closes it. Requests for the hot paths of
    the application (`HotApp`) that have come whole by the time they are seen go there at once;
    all others go through ASGI.
    """

    transport: Any
    cycle: Any  # of the newest request: uvicorn's, or an Exchange

    def __init__(self, limits: Limits, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        app: Any = self.app
        self._app: HotApp | None = app if hasattr(app, "answer_whole") else None
        self._in_head = True
        self._in_message = False
        self._is_new_head = False
        self._head_size = 0
        self._size_of_headers = 0
        self._refusal = 0
        self._has_ended = False
        self._previous: Any = None
        """The cycle of the request before the newest."""
        self._exchange: Exchange | None = None
        self._route: HotRoute | None = None
        self._query = b""
        self._parts: list[bytes] = []
        self._since = 0.0
        self._unsent = 0
        self._sending_ends = 0.0

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers of every answer: the date."""
        return self.server_state.default_headers

    @property
    def is_busy(self) -> bool:
        """Whether a request is in work."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def idle_since(self) -> float:
        """The loop's time at which it was made, its last answer ended, or a head began."""
        return self._since

    # The transport's calls.

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > self._limits.max_connections:
            _make_room(self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._exchange is not None:
            self._exchange.disconnected = True
        super().connection_lost(exc)
        # Nothing is to wait for the garbage collector, which comes rarely.
        self.cycle = self._previous = self._exchange = None

    def data_received(self, data: bytes) -> None:
        if self._has_ended:
            return
        self._is_new_head = False
        try:
            self.parser.feed_data(data)
            if self._route is not None:  # the rest of its body is still to come
                self._go_through_asgi()
        except httptools.HttpParserError:
            self.logger.warning(_UNREADABLE)
            self._refuse()
            return
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        if self._in_head:
            self._count_head(len(data))

    # The parser's calls.

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self._in_head = True
        self._in_message = True
        self._is_new_head = True
        self._size_of_headers = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > MAX_URL:
            self._give_up(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size_of_headers += len(name) + len(value) + 4
        if self._size_of_headers > MAX_HEAD:
            self._give_up(431)
        if self._in_head:  # else it is a trailer, which must not pass for one (RFC 9110, 6.5.1)
            # Blanks around a value are none of it (RFC 9110, 5.5); the parser leaves those at the
            # end.
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._app is not None and not self.is_busy:
            path, _, query = self.url.partition(b"?")
            route = self._app.hot.get(path)
            if (
                route is not None
                and self.parser.get_method() in route.methods
                and self.parser.get_http_version() == "1.1"
                and not self.parser.should_upgrade()
                and b"#" not in query
            ):
                self._route = route
                self._query = query
                return
        self._begin_asgi()

    def on_body(self, body: bytes) -> None:
        if self._route is not None:
            self._parts.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        route = self._route
        if route is None:
            super().on_message_complete()
            return
        self._route = None
        parts, self._parts = self._parts, []
        assert self._app is not None
        scope = {
            "type": "http",
            "method": route.methods[self.parser.get_method()],
            "path": route.path,
            "query_string": self._query,
            "headers": self.headers,
            "client": self.client,
        }
        exchange = Exchange(
            self,
            scope,
            parts[0] if len(parts) == 1 else b"".join(parts),
            keep_alive=self.parser.should_keep_alive(),
        )
        self.cycle = self._exchange = exchange
        task = self.loop.create_task(self._app.answer_whole(exchange, route))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    # Requests through ASGI.

    def _begin_asgi(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        self._previous = self.cycle
        super().on_headers_complete()

    def _go_through_asgi(self) -> None:
        """Pass on a request of which only a part has come."""
        self._route = None
        parts, self._parts = self._parts, []
        self._begin_asgi()
        for part in parts:
            super().on_body(part)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)

    # Limits.

    def look(self, now: float) -> None:
        """End what takes too long at the loop's time `now`."""
        transport = self.transport
        if self._sends_for_too_long(transport.get_write_buffer_size(), now):
            transport.abort()
            return
        if self.is_busy or transport.is_closing():
            return  # bodies have their own limits, and so has the work that is done for them
        waited = now - self._since
        if self._in_head and self._head_size:
            if waited > self._limits.header_timeout:
                self._refusal = 408
                self._refuse()
        elif waited > (
            self._limits.header_timeout if self.cycle is None else self._limits.idle_timeout
        ):
            transport.close()

    def _sends_for_too_long(self, unsent: int, now: float) -> bool:
        before, self._unsent = self._unsent, unsent
        if not unsent:
            return False
        rate = self._limits.min_rate
        if not before:
            self._sending_ends = now + self._limits.write_timeout
            before = 0
        if rate:
            self._sending_ends += max(0, unsent - before) / rate
        elif unsent < before:  # it moves
            self._sending_ends = now + self._limits.write_timeout
        return now > self._sending_ends

    def _count_head(self, size: int) -> None:
        # Of an unfinished head the parser tells only whole lines; a line may have no end.
        if self._is_new_head:
            self._since = self.loop.time()
            self._head_size = 1  # how much of what came is its own is not known
        else:
            self._head_size += size
        if self._head_size > MAX_HEAD + MAX_URL:
            self._refusal = 431
            self._refuse()

    def _give_up(self, status: int) -> None:
        self._refusal = status
        # Whatever a callback raises ends the parser's work with HttpParserError.
        message = "the head is too large"
        raise ValueError(message)

    def _refuse(self) -> None:
        """Answer 400, or the refusal's own status, and close.

        Requests before the one at fault get their answers first, and the connection ends there.
        """
        self._has_ended = True
        self._route = None
        self._parts = []
        if self.is_busy and (not self._in_message or self._in_head or self.pipeline):
            if self._in_message and not self._in_head:
                self.pipeline.popleft()  # its body was at fault: it never came whole
                self.cycle = self._previous
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self._refusal:
            self.send_400_response(_UNREADABLE)
            return
        status = b"%d %s" % (self._refusal, _REASONS[self._refusal])
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
        )
        self.transport.close()


def _make_room(connections: Any) -> None:
    """Close a few of the connections that are idle for the longest."""
    idle = [each for each in connections if isinstance(each, Connection) and not each.is_busy]
    idle.sort(key=lambda each: each.idle_since)
    for each in idle[: 1 + len(idle) // 50]:
        each.transport.close()

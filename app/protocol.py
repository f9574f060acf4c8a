"""HTTP/1.1 as uvicorn speaks it, with an end to what a request's head may take.

Neither uvicorn nor its parser limits the size of a head or the time in which it has to arrive.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_URL = 64 * 1024
MAX_HEAD = 128 * 1024
HEAD_TIMEOUT = 20.0
"""Seconds from a connection's or a head's first byte to the head's last."""

_REASONS = {
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}


class LimitedProtocol(HttpToolsProtocol):
    """Closes connections whose heads are too large (414, 431) or too slow (408)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_size = 0
        self._size_of_headers = 0
        self._refusal = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_TIMEOUT, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        in_head = self._in_head
        super().data_received(data)
        if not self._in_head or self._refusal:
            return
        # Of an unfinished head the parser tells only whole lines; a line may have no end.
        if in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD + MAX_URL:
                self._refusal = 431
                self.send_400_response("")
        else:
            self._head_size = 1  # it was begun; how much of `data` is its own is not known
        # A head that came whole needs no timer.
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_TIMEOUT, self._too_slow)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0
        self._size_of_headers = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._check(len(self.url) <= MAX_URL, 414)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._size_of_headers += len(name) + len(value) + 4
        self._check(self._size_of_headers <= MAX_HEAD, 431)

    def on_headers_complete(self) -> None:
        self._head_is_whole()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if not self._refusal:
            super().send_400_response(msg)
            return
        status = b"%d %s" % (self._refusal, _REASONS[self._refusal])
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
        )
        self.transport.close()

    def _head_is_whole(self) -> None:
        self._in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._head_size and not self.transport.is_closing():
            self._refusal = 408
            self.send_400_response("")
        else:  # it never said anything
            self.transport.close()

    def _check(self, fits: bool, status: int) -> None:
        if not fits:
            self._refusal = status
            # Whatever a callback raises ends in `send_400_response`.
            message = "the head is too large"
            raise ValueError(message)

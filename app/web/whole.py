"""Requests that came whole, and their answers: what the hot wires have below ASGI."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE

from app.protocol import Exchange
from app.web.asgi import headers_of
from app.web.replies import CLOSE, CREATED, NO_CONTENT, Headers, Reply


class WholeBody:
    """A body that is there already; also what ASGI would be asked for it."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __call__(self) -> Any:
        """Return the body as ASGI's message."""
        return {"type": "http.request", "body": self.body, "more_body": False}


async def write_reply(exchange: Exchange, reply: Reply, beside: Headers) -> int:
    """Send a whole answer, with headers beside its own; return its status."""
    if not exchange.has_room:
        await exchange.room()
    tail = _TAILS.get(id(reply))
    if tail is None:
        headers = headers_of(reply, beside)
        exchange.write(
            reply.status, b"%b\r\n%b" % (_lines(headers), reply.body), close=CLOSE in headers
        )
    else:
        exchange.write(
            reply.status, _lines(beside) + tail if beside else tail, close=CLOSE in beside
        )
    return reply.status


def _lines(headers: Headers) -> bytes:
    parts: list[bytes] = []
    for name, value in headers:
        # What clients sent was looked at before it got here; this is the last place to see it.
        if HEADER_VALUE_RE.search(value):
            message = "a header's value has a control character"
            raise ValueError(message)
        parts += (name, b": ", value, b"\r\n")
    return b"".join(parts)


_TAILS = {id(reply): _lines(headers_of(reply)) + b"\r\n" for reply in (CREATED, NO_CONTENT)}
"""Of the answers that nearly all requests get, which live as long as the process."""

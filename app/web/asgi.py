"""The few words of ASGI that the hot wires speak themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from app.web.replies import Headers, Reply

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Answer(Protocol):
    """Sends a whole answer and returns its status; to be called once for each request.

    `unread` is given where the connection is closed afterwards and the request's body was not read
    to its end.
    """

    def __call__(self, reply: Reply, unread: Receive | None = None) -> Awaitable[int]: ...


MAX_UNREAD = 10 * 1024 * 1024
UNREAD_TIMEOUT = 3.0

SAFETY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
)
"""Headers of every answer that has a body; a browser can do nothing wrong with none."""

NO_BODY = (b"content-length", b"0")


def has_body(scope: Any) -> bool:
    """Say whether a request announces a body."""
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )


def headers_of(reply: Reply, beside: Headers = ()) -> Headers:
    """Return all headers of an answer but the date."""
    headers = (*reply.headers, *beside)
    if reply.body:
        return (*headers, (b"content-length", b"%d" % len(reply.body)), *SAFETY)
    if reply.status != 204:  # noqa: PLR2004 (204 must not state a length, RFC 9110, 8.6)
        return (*headers, NO_BODY)
    return headers


async def send_reply(
    send: Send, reply: Reply, *, beside: Headers = (), unread: Receive | None = None
) -> int:
    """Send a whole answer, with headers beside its own; return its status. See `Answer`."""
    headers = [*headers_of(reply, beside)]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if unread is not None:
        # The answer is out; closing with bytes unread would take it back from clients that read
        # only once they have written everything.
        await send({"type": "http.response.body", "body": reply.body, "more_body": True})
        await _let_go(unread)
        await send({"type": "http.response.body", "body": b""})
        return reply.status
    await send({"type": "http.response.body", "body": reply.body})
    return reply.status


async def _let_go(receive: Receive) -> None:
    """Take in the rest of a body, within limits, and forget it."""
    room = MAX_UNREAD
    with suppress(TimeoutError):
        async with asyncio.timeout(UNREAD_TIMEOUT):
            while room > 0:
                message = await receive()
                room -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return

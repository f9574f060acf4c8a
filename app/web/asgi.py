"""The few words of ASGI that the hot wires speak themselves."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.web.replies import Headers, Reply

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

SAFETY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
)
"""Headers of every answer."""


async def send_reply(send: Send, reply: Reply) -> int:
    """Send a whole answer; return its status."""
    # An answer of 204 has no body and must not state a length (RFC 9110, 8.6).
    length: Headers = ()
    if reply.status != 204:  # noqa: PLR2004 (No Content)
        length = ((b"content-length", b"%d" % len(reply.body)),)
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [*reply.headers, *length, *SAFETY],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})
    return reply.status

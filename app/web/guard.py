"""The guard: request bodies are read whole, within limits of size, time and memory, or refused."""

import asyncio

from app.core.errors import (
    EventError,
    EventTooLarge,
    MalformedEvent,
    Overloaded,
    UnsupportedMedia,
)
from app.web.asgi import Receive
from app.web.context import Header
from app.web.inflate import inflated

CONTENT_TYPES = ("application/json", "text/plain", "application/reports+json")
INFLATE_IN_THREAD = 64 * 1024


class Refusal(Exception):
    """A request was refused before its events could be read.

    `status` overrides the status that follows from the error; `payload` is what was read.
    """

    def __init__(
        self, error: EventError, payload: bytes = b"", *, status: int | None = None
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.payload = payload
        self.status = status


class ClientGone(Exception):
    """The client left before its request was whole; there is nobody to answer."""


class Guard:
    """Reads request bodies. Remembers how many bytes are in work, so that memory has a bound."""

    def __init__(self, *, max_body_size: int, max_pending_size: int, timeout: float) -> None:
        self._max_body_size = max_body_size
        self._max_pending_size = max_pending_size
        self._timeout = timeout
        self.pending = 0

    async def read(self, header: Header, receive: Receive) -> bytes:
        """Return the body, inflated; raises Refusal or ClientGone. Follow it by `done`."""
        check_media(header("content-type"))
        self._check_length(header("content-length"))
        try:
            async with asyncio.timeout(self._timeout):
                body = await self._received(receive)
        except TimeoutError as error:
            raise Refusal(
                MalformedEvent(f"The body did not arrive within {self._timeout:g} s."), status=408
            ) from error
        encoding = (header("content-encoding") or "").strip().lower()
        if not encoding or encoding == "identity":
            return body
        try:
            if len(body) > INFLATE_IN_THREAD:
                return await asyncio.to_thread(inflated, body, encoding, self._max_body_size)
            return inflated(body, encoding, self._max_body_size)
        except EventError as error:
            raise Refusal(error, body) from error

    async def _received(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            self._check_room(len(body))
            return body
        parts = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            self._check_room(size)
        return b"".join(parts)

    def _check_length(self, text: str | None) -> None:
        if text and text.isdigit():
            self._check_room(int(text[:20]))

    def _check_room(self, size: int) -> None:
        if size > self._max_body_size:
            raise Refusal(
                EventTooLarge(
                    f"The body has more than {self._max_body_size:,} bytes.",
                    expected=f"at most {self._max_body_size:,} bytes",
                    hint="Send fewer events at once. The limit is the setting http.max_body_size.",
                )
            )
        if self.pending + size > self._max_pending_size:
            raise Refusal(
                Overloaded(
                    "Too many bytes are in work; the request was not read.",
                    hint="Send it again in a few seconds.",
                )
            )


def check_media(content_type: str | None) -> None:
    """Raise Refusal unless the content type is one that we read, in UTF-8; None counts as JSON."""
    if content_type is None:
        return
    if content_type == "application/json":  # what nearly everybody sends
        return
    kind, *parameters = content_type.lower().split(";")
    if kind.strip() not in CONTENT_TYPES:
        raise Refusal(
            UnsupportedMedia(
                "The content type is none that carries events.",
                expected=", ".join(CONTENT_TYPES),
                got=kind.strip()[:100],
                hint="Send the header content-type: application/json.",
            )
        )
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"')
        if name.strip() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise Refusal(
                UnsupportedMedia(
                    "The charset is not UTF-8.",
                    expected="utf-8",
                    got=charset[:100],
                    hint="Encode the body as UTF-8.",
                )
            )

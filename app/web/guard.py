"""The guard: request bodies are read whole, within limits of size, time and memory, or refused."""

import asyncio
from typing import Self

from app.core.deadlines import Deadlines
from app.core.errors import (
    EventError,
    EventTooLarge,
    MalformedEvent,
    Overloaded,
    UnsupportedMedia,
)
from app.core.json import values_in
from app.web.asgi import Receive
from app.web.context import Header
from app.web.inflate import inflated
from app.web.whole import WholeBody

CONTENT_TYPES = ("application/json", "text/plain", "application/reports+json")
INFLATE_IN_THREAD = 64 * 1024
WEIGHED_FROM = 256 * 1024
"""Bytes of a body from which it is looked at how much room it takes once it is read."""
VALUE_SIZE = 64
"""Bytes that a value takes in memory, about: an empty array has 56, and 8 of what holds it."""
LEAST_OF_A_VALUE = 10
"""Bytes of the largest body for each value that a body may hold; whole events have 20 and more."""
SLOW_START = 5.0
"""Seconds of a body after which the least rate counts."""
MAX_PAUSE = 1.0
"""Seconds of silence after which it is looked at how slow a body is."""


class Refusal(Exception):
    """A request was refused before its events could be read.

    `status` overrides the status that follows from the error; `payload` is what was read, and
    `whole` says that it is all there was.
    """

    def __init__(
        self,
        error: EventError,
        payload: bytes = b"",
        *,
        status: int | None = None,
        whole: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.payload = payload
        self.status = status
        self.whole = whole


class ClientGone(Exception):
    """The client left before its request was whole; there is nobody to answer."""


class Guard:
    """Reads request bodies. `pending` is how many bytes are in work, so that memory has a bound.

    What a large body takes once it is read counts, too: nine kilobytes of gzip may hold millions of
    empty arrays, which take a hundred times their text. A body with more values than one for each
    ten bytes of the largest is refused, since to read it would keep all others waiting.

    A body has to arrive within `timeout` seconds and, after the first five, at `min_rate` bytes per
    second on average (0: at any rate).
    """

    def __init__(
        self, *, max_body_size: int, max_pending_size: int, timeout: float, min_rate: float = 0
    ) -> None:
        self._max_body_size = max_body_size
        self._max_pending_size = max_pending_size
        self._timeout = timeout
        self._min_rate = min_rate
        self._pauses = Deadlines(min(timeout, MAX_PAUSE))
        self.pending = 0

    def hold(self) -> "Held":
        """Return a context manager for one request: what it holds counts as in work until then."""
        return Held(self)

    def has_room(self, size: int) -> bool:
        """Say whether so many more bytes may come into work."""
        return self.pending + size <= self._max_pending_size

    async def read(self, header: Header, receive: Receive, held: "Held") -> bytes:
        """Return a body, inflated, and hold its bytes; raises Refusal or ClientGone."""
        check_media(header("content-type"))
        if isinstance(receive, WholeBody):
            body = receive.body
            self._check_size(len(body))
            held.add(len(body))
        else:
            self._check_length(header("content-length"))
            body = await self._received(receive, held)
        encoding = (header("content-encoding") or "").strip().lower()
        if not encoding or encoding == "identity":
            self._weigh(body, held)
            return body
        try:
            if len(body) > INFLATE_IN_THREAD:
                body = await asyncio.to_thread(inflated, body, encoding, self._max_body_size)
            else:
                body = inflated(body, encoding, self._max_body_size)
        except EventError as error:
            raise Refusal(error, body, whole=True) from error
        held.add(max(0, len(body) - held.size))
        self._weigh(body, held)
        return body

    def _weigh(self, body: bytes, held: "Held") -> None:
        """Hold what a body will take when it is read; raises Refusal."""
        if len(body) < WEIGHED_FROM:
            return
        most = self._max_body_size // LEAST_OF_A_VALUE
        values = values_in(body, most)
        if values > most:
            raise Refusal(
                EventTooLarge(
                    f"The body holds more than {most:,} values.",
                    expected=f"at most {most:,} values and brackets",
                    got=f"{values:,}",
                    hint="Send fewer events at once, with smaller arrays.",
                ),
                whole=True,
            )
        # One alone always has room.
        if self.pending > held.size or self.has_room(values * VALUE_SIZE):
            held.add(values * VALUE_SIZE)

    async def _received(self, receive: Receive, held: "Held") -> bytes:
        parts: list[bytes] = []
        now = asyncio.get_running_loop().time
        began = now()
        while True:
            try:
                message = await self._pauses.wait(receive())
            except TimeoutError:
                message = None
            if now() > began + self._seconds_for(held.size):
                raise self._too_slow(now() - began)
            if message is None:
                continue
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            self._check_size(held.size + len(part))
            held.add(len(part))
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _seconds_for(self, size: int) -> float:
        """Return how long a body may take until there is more of it than `size`."""
        if not self._min_rate:
            return self._timeout
        return min(self._timeout, SLOW_START + size / self._min_rate)

    def _too_slow(self, seconds: float) -> Refusal:
        if seconds >= self._timeout:
            told = MalformedEvent(
                f"The body did not arrive within {self._timeout:g} s.",
                hint="Send fewer events at once. The limit is the setting http.body_timeout.",
            )
        else:
            told = MalformedEvent(
                "The body arrives too slowly.",
                expected=f"at least {self._min_rate:g} bytes per second",
                hint="Send it whole. The limit is the setting http.min_body_rate.",
            )
        return Refusal(told, status=408)

    def _check_size(self, size: int) -> None:
        if size > self._max_body_size:
            raise Refusal(self._too_large())

    def _check_length(self, text: str | None) -> None:
        if text and text.isdecimal() and int(text[:20]) > self._max_body_size:
            raise Refusal(self._too_large())

    def _too_large(self) -> EventTooLarge:
        return EventTooLarge(
            f"The body has more than {self._max_body_size:,} bytes.",
            expected=f"at most {self._max_body_size:,} bytes",
            hint="Send fewer events at once. The limit is the setting http.max_body_size.",
        )


class Held:
    """The bytes of one request that are in work."""

    __slots__ = ("_guard", "size")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._guard.pending -= self.size
        self.size = 0

    def add(self, more: int) -> None:
        """Hold more bytes; raises Refusal if there is no room for them."""
        if not self._guard.has_room(more):
            raise Refusal(
                Overloaded(
                    "Too many bytes are in work; the request was not taken.",
                    hint="Send it again in a few seconds.",
                )
            )
        self.size += more
        self._guard.pending += more


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

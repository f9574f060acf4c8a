"""A request that came whole, and its answer, without ASGI's messages between them."""

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE


class HotRoute(NamedTuple):
    """A path with much traffic, the methods that have it, and whatever its application keeps."""

    path: str
    methods: Mapping[bytes, str]
    target: Any


class HotApp(Protocol):
    """An application that answers whole requests for some paths itself."""

    hot: Mapping[bytes, HotRoute]
    """By the path as it stands in the request."""

    def answer_whole(self, exchange: "Exchange", route: HotRoute) -> Coroutine[Any, Any, None]:
        """Answer a request; must write exactly one answer, unless the client has left."""
        ...


class Owner(Protocol):
    """The connection of an exchange."""

    transport: Any
    flow: FlowControl

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers of every answer."""
        ...

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        ...


class _Nobody:
    """Stands for the event by which uvicorn wakes who waits for a body: nobody does."""

    def set(self) -> None:
        pass


class Exchange:
    """One request and its answer. `scope` has what the hot wires read of ASGI's scope.

    It stands where uvicorn keeps its own object for a request, and has what is asked of that.
    """

    __slots__ = ("body", "disconnected", "keep_alive", "owner", "response_complete", "scope")

    message_event = _Nobody()

    def __init__(
        self, owner: Owner, scope: dict[str, Any], body: bytes, *, keep_alive: bool
    ) -> None:
        self.owner = owner
        self.scope = scope
        self.body = body
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def taken(self) -> bytes:
        """Return the body, and keep it no longer than its reader does."""
        body, self.body = self.body, b""
        return body

    def abandon(self) -> None:
        """End the connection; to be called if there will be no answer, or no whole one."""
        self.owner.transport.close()

    async def room(self) -> None:
        """Wait until the client has taken in enough of earlier answers."""
        await self.owner.flow.drain()

    @property
    def has_room(self) -> bool:
        """Whether there is nothing to wait for before an answer is written."""
        return self.disconnected or not self.owner.flow.write_paused

    def write(self, status: int, tail: bytes, *, close: bool = False) -> None:
        """Send a whole answer, unless the client has left.

        `tail` is its headers, as lines, an empty line, and its body. `close`: the connection ends
        with it, as the headers say.
        """
        owner = self.owner
        if self.disconnected:
            return
        parts = [STATUS_LINE[status]]
        for name, value in owner.default_headers:
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive and not close:
            parts.append(b"connection: close\r\n")
        parts.append(tail)
        owner.transport.write(b"".join(parts))
        self.response_complete = True
        if close or not self.keep_alive:
            owner.transport.close()
        owner.on_response_complete()

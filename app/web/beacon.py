"""The old wire: an EventCapsule as the whole query, or some as JSON; always answered 204."""

from typing import Any

from app.core.events import Context, RawEvent
from app.service import Service
from app.web.asgi import Answer, Receive
from app.web.clients import Clients
from app.web.context import Contexts, Header
from app.web.guard import Guard, Refusal
from app.web.payloads import read_payloads
from app.web.replies import CLOSE, NO_CONTENT, Reply, plain_failure

SOURCE = "beacon"
PATHS = ("/beacon/event", "/beacon/event.gif", "/event.gif")
METHODS = frozenset(("GET", "HEAD", "POST"))  # sendBeacon is a POST with everything in its URL
ALLOW = (b"allow", b"GET, HEAD, POST, OPTIONS")
LAST = Reply(204, b"", (CLOSE,))  # a body that nobody reads must not go on for ever
SCANNER = "Fuzz Faster U Fool"  # T266130: its requests were never logged either


class BeaconWire:
    """Answers the beacon. What becomes of an event shows in metrics and on the error stream.

    `guard` reads the bodies of requests that have their capsules there, as JSON.
    """

    def __init__(
        self, service: Service, contexts: Contexts, guard: Guard, clients: Clients | None = None
    ) -> None:
        self._service = service
        self._contexts = contexts
        self._guard = guard
        self._clients = clients
        self._max_events = service.settings.http.max_events

    async def __call__(self, scope: Any, receive: Receive, answer: Answer) -> int:
        """Answer the request and return the status. A body beside a query is not read."""
        query: bytes = scope["query_string"]
        context = self._contexts.of(scope, SOURCE)
        header = context.header
        if scope["method"] not in METHODS:
            closing = (CLOSE,) if _has_body(header) else ()
            told = "Beacons are sent with GET, HEAD or POST."
            return await answer(plain_failure(405, told, (ALLOW, *closing)))
        if scope["path"] in PATHS and not (header("user-agent") or "").startswith(SCANNER):
            if self._clients and not await self._is_let_in(context, 1 if query else 0):
                return await answer(LAST if _has_body(header) else NO_CONTENT)
            if query:
                await self._service.process(
                    [RawEvent(query)], context, self._service.beacon_decoder(context)
                )
            elif scope["method"] == "POST" and _is_json(header) and _has_body(header):
                return await self._answer_json(context, receive, answer)
        return await answer(LAST if _has_body(header) else NO_CONTENT)

    async def _is_let_in(self, context: Context, events: int) -> bool:
        # Beacons have no credentials, and are told nothing: what is too much is counted and gone.
        assert self._clients is not None
        try:
            await self._clients.let_in(context, identify=False)
            self._clients.count_events(context, events)
        except Refusal as refusal:
            await self._service.refuse(refusal.error, b"", context)
            return False
        return True

    async def _answer_json(self, context: Context, receive: Receive, answer: Answer) -> int:
        try:
            with self._guard.hold() as held:
                body = await self._guard.read(context.header, receive, held)
                raws = [RawEvent(each) for each in await read_payloads(body, self._max_events)]
                if self._clients:
                    self._clients.count_events(context, len(raws))
                decode = self._service.capsule_decoder(context)
                await self._service.process(raws, context, decode)
        except Refusal as refusal:
            await self._service.refuse(refusal.error, refusal.payload, context)
            return await answer(LAST, None if refusal.whole else receive)
        return await answer(NO_CONTENT)


def _has_body(header: Header) -> bool:
    return header("content-length") not in (None, "0") or header("transfer-encoding") is not None


def _is_json(header: Header) -> bool:
    kind = (header("content-type") or "").partition(";")[0]
    return kind.strip().lower() == "application/json"

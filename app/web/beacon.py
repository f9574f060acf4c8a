"""The old wire: an EventCapsule as the whole query, or some as JSON; always answered 204."""

from typing import Any

from app.core.events import Context, RawEvent
from app.service import Service
from app.web.asgi import Receive, Send, has_body, send_reply
from app.web.context import Contexts, headers_of
from app.web.guard import Guard, Refusal
from app.web.payloads import payloads_of
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

    def __init__(self, service: Service, contexts: Contexts, guard: Guard) -> None:
        self._service = service
        self._contexts = contexts
        self._guard = guard
        self._max_events = service.settings.http.max_events

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> int:
        """Answer the request and return the status. A body beside a query is not read."""
        if scope["method"] not in METHODS:
            closing = (CLOSE,) if has_body(scope) else ()
            told = "Beacons are sent with GET, HEAD or POST."
            return await send_reply(send, plain_failure(405, told, (ALLOW, *closing)))
        query: bytes = scope["query_string"]
        if scope["path"] in PATHS and not _is_scanner(scope):
            context = self._contexts.of(scope, SOURCE)
            if query:
                await self._service.process(
                    [RawEvent(query)], context, self._service.beacon_decoder(context)
                )
            elif _is_json(scope) and has_body(scope):
                return await self._answer_json(scope, receive, send, context)
        return await send_reply(send, LAST if has_body(scope) else NO_CONTENT)

    async def _answer_json(self, scope: Any, receive: Receive, send: Send, context: Context) -> int:
        try:
            async with self._guard.body(headers_of(scope), receive) as body:
                raws = [RawEvent(each) for each in payloads_of(body, self._max_events)]
                decode = self._service.capsule_decoder(context)
                await self._service.process(raws, context, decode)
        except Refusal as refusal:
            await self._service.refuse(refusal.error, refusal.payload, context)
            return await send_reply(send, LAST, unread=None if refusal.whole else receive)
        return await send_reply(send, NO_CONTENT)


def _is_scanner(scope: Any) -> bool:
    return (headers_of(scope)("user-agent") or "").startswith(SCANNER)


def _is_json(scope: Any) -> bool:
    kind = (headers_of(scope)("content-type") or "").partition(";")[0]
    return scope["method"] == "POST" and kind.strip().lower() == "application/json"

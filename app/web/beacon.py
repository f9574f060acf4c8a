"""The old wire: one percent-encoded EventCapsule as the whole query; always answered 204."""

from typing import Any

from app.core.events import RawEvent
from app.service import Service
from app.web.asgi import Receive, Send, has_body, send_reply
from app.web.context import Contexts, headers_of
from app.web.replies import CLOSE, NO_CONTENT, Reply

SOURCE = "beacon"
PATHS = ("/beacon/event", "/beacon/event.gif", "/event.gif")
METHODS = frozenset(("GET", "HEAD", "POST"))  # sendBeacon is a POST with everything in its URL
LAST = Reply(204, b"", (CLOSE,))  # a body that nobody reads must not go on for ever
SCANNER = "Fuzz Faster U Fool"  # T266130: its requests were never logged either


class BeaconWire:
    """Answers the beacon. What becomes of an event shows in metrics and on the error stream."""

    def __init__(self, service: Service, contexts: Contexts) -> None:
        self._service = service
        self._contexts = contexts

    async def __call__(self, scope: Any, _receive: Receive, send: Send) -> int:
        """Answer the request and return the status. A body, if there is one, is not read."""
        query: bytes = scope["query_string"]
        known = scope["path"] in PATHS and scope["method"] in METHODS
        if query and known and not _is_scanner(scope):
            context = self._contexts.of(scope, SOURCE)
            await self._service.process(
                [RawEvent(query)], context, self._service.beacon_decoder(context)
            )
        return await send_reply(send, LAST if has_body(scope) else NO_CONTENT)


def _is_scanner(scope: Any) -> bool:
    return (headers_of(scope)("user-agent") or "").startswith(SCANNER)

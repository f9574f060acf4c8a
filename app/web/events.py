"""The modern wire: POST /v1/events, one event or an array of them, old kinds among them."""

import asyncio
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from app.core.errors import MalformedEvent
from app.core.events import Context, RawEvent
from app.pipeline.decoders import as_object
from app.service import Service
from app.web.asgi import Answer, Receive, has_body
from app.web.clients import Clients
from app.web.context import Contexts
from app.web.guard import Guard, Refusal
from app.web.payloads import read_payloads
from app.web.replies import CLOSE, HASTY, Reply, plain_failure, reply_of, reply_of_refusal

SOURCE = "events"
TRUE = frozenset(("1", "true", "yes", ""))
FALSE = frozenset(("0", "false", "no"))
MAX_QUERY_FIELDS = 50
MAX_RECALLED = 512
"""Bytes of a query of which it is remembered what it says."""
MANY_OUTCOMES = 500

Said = tuple[bool, str | None, str | None]
"""hasty, stream and schema URI, as the query of a URL says them."""

ALLOW = (b"allow", b"POST, OPTIONS")
NOTHING_SAID: Said = (False, None, None)


class EventsWire:
    """Answers POST /v1/events."""

    def __init__(
        self, service: Service, contexts: Contexts, clients: Clients | None = None
    ) -> None:
        http = service.settings.http
        self._recalled = lru_cache(maxsize=1_024)(self._defaults)
        self._service = service
        self._contexts = contexts
        self._clients = clients
        self._max_events = http.max_events
        self._stream_param = http.stream_query_param
        self._schema_param = http.schema_uri_query_param
        self.guard = Guard(
            max_body_size=http.max_body_size,
            max_pending_size=http.max_pending_size,
            timeout=http.body_timeout,
            min_rate=http.min_body_rate,
        )
        service.metrics.pending_bytes = lambda: self.guard.pending

    async def __call__(self, scope: Any, receive: Receive, answer: Answer) -> int:
        """Answer the request and return the status."""
        if scope["method"] != "POST":
            closing = (CLOSE,) if has_body(scope) else ()
            told = "Events are sent with POST."
            return await answer(
                plain_failure(405, told, (ALLOW, *closing)), receive if closing else None
            )
        context = self._contexts.of(scope, SOURCE)
        try:
            if self._clients:
                context = await self._clients.let_in(context)
            query = scope["query_string"]
            hasty, stream, schema_uri = self._said(query) if query else NOTHING_SAID
            with self.guard.hold() as held:
                body = await self.guard.read(context.header, receive, held)
                payloads = await read_payloads(body, self._max_events)
                if self._clients:
                    self._clients.count_events(context, len(payloads))
                raws = [RawEvent(payload, stream, schema_uri) for payload in payloads]
                # What the URL names a stream or a schema for is a modern event, whatever its shape.
                modern = stream is not None or schema_uri is not None
                decode = as_object if modern else self._service.events_decoder(context)
                if hasty:
                    # Nothing is promised: the answer goes out first. The server counts the request
                    # as in flight until its events are done, so that stopping waits for them.
                    status = await answer(HASTY)
                    await self._service.process(raws, replace(context, hasty=True), decode)
                    return status
                outcomes = await self._service.process(raws, context, decode)
                if len(outcomes) > MANY_OUTCOMES:
                    # Telling of so many failures would keep other requests waiting.
                    return await answer(await asyncio.to_thread(reply_of, outcomes))
                return await answer(reply_of(outcomes))
        except Refusal as refusal:
            reply = await self._refused(refusal, context)
            return await answer(reply, None if refusal.whole else receive)

    def _said(self, query: bytes) -> Said:
        # Clients say the same each time. What is long is not kept.
        return self._recalled(query) if len(query) <= MAX_RECALLED else self._defaults(query)

    def _defaults(self, query: bytes) -> Said:
        """Return hasty, stream and schema URI as the query says; raises Refusal."""
        try:
            pairs = parse_qsl(
                query.decode(),
                keep_blank_values=True,
                max_num_fields=MAX_QUERY_FIELDS,
                errors="strict",
            )
        except ValueError as error:
            raise Refusal(MalformedEvent("The query of the URL cannot be read.")) from error
        ours = {"hasty", self._stream_param, self._schema_param}
        values: dict[str | None, str] = {}
        for name, value in pairs:
            if name in ours and values.setdefault(name, value) != value:
                raise Refusal(MalformedEvent(f"The query parameter {name} is given twice."))
        return (
            _flag(values.get("hasty", "0")),
            values.get(self._stream_param) if self._stream_param else None,
            values.get(self._schema_param) if self._schema_param else None,
        )

    async def _refused(self, refusal: Refusal, context: Context) -> Reply:
        outcomes = await self._service.refuse(refusal.error, refusal.payload, context)
        return reply_of_refusal(outcomes, refusal.status)


def _flag(text: str) -> bool:
    value = text.strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise Refusal(
        MalformedEvent(
            "The query parameter hasty is neither true nor false.",
            expected="1, true, yes or nothing; or 0, false, no",
            got=text[:20],
        )
    )

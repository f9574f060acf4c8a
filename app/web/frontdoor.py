"""The front door: the hot wires are answered before FastAPI is asked, which serves the rest.

FastAPI's own handling of a request costs more than the whole pipeline does for one event.
"""

# The functions that each request gets would have their annotations worked out each time.
from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from app.core.current import CURRENT, CurrentRequest
from app.metrics import Metrics
from app.protocol import Exchange, HotRoute
from app.web.accesslog import AccessLog
from app.web.admission import Admission
from app.web.asgi import SAFETY, Answer, Receive, Send, has_body, send_reply
from app.web.cors import Cors
from app.web.guard import ClientGone
from app.web.replies import (
    CLOSE,
    JSON,
    RETRY_AFTER,
    Headers,
    Reply,
    cut_off,
    overloaded,
    plain_failure,
)
from app.web.requestids import NAME, beside_answer, take_id
from app.web.whole import WholeBody, write_reply

logger = logging.getLogger(__name__)

App = Callable[[Any, Receive, Send], Awaitable[None]]
Wire = Callable[[Any, Receive, Answer], Awaitable[int]]
"""Answers a request and returns the status."""

Sending = Callable[[Reply, Headers, Receive | None], Awaitable[int]]
"""Sends a whole answer, with headers beside its own; see `Answer` for what is unread."""

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"))
ALL_IS_WELL = frozenset((200, 201, 202, 204))
"""Statuses of answers that need no request id, unless there is one."""
HOT_METHODS = {b"GET": "GET", b"POST": "POST"}
OVERLOADED = overloaded()
OVERLOADED_WHOLE = Reply(OVERLOADED.status, OVERLOADED.body, (JSON, RETRY_AFTER))
CUT_OFF = cut_off()
CLIENT_CLOSED = 499  # nobody got this status: the client had left


class FrontDoor:
    """An ASGI application in front of another. `open` gives it the wires once they can serve.

    It is a `HotApp`, too: where our own connections serve it, requests for `hot` paths that came
    whole are answered without ASGI between, which would cost as much as all the rest. `problems`
    says why the service could not start, if that is a matter of configuration.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._wires: Mapping[str, tuple[str, Wire]] = {}
        self.hot: Mapping[bytes, HotRoute] = {}
        self._cors = Cors([])
        self._metrics: Metrics | None = None
        self._access_log: AccessLog | None = None
        self._admission = Admission(0)
        self._drain: Callable[[], None] = lambda: None
        self.problems: tuple[str, ...] = ()

    def open(
        self,
        *,
        wires: Mapping[str, tuple[str, Wire]],
        cors: Cors,
        metrics: Metrics,
        drain: Callable[[], None],
        access_log: AccessLog | None = None,
        admission: Admission | None = None,
    ) -> None:
        """Serve `wires` (path -> label for metrics, wire); `drain` is called before stopping.

        `admission` is asked about requests for wires; all others are always served.
        """
        self._admission = admission or Admission(0)
        self._wires = wires
        self.hot = {
            path.encode(): HotRoute(path, HOT_METHODS, target) for path, target in wires.items()
        }
        self._cors = cors
        self._metrics = metrics
        self._drain = drain
        self._access_log = access_log

    def drain(self) -> None:
        """Say that the service is about to stop: it is no longer ready, but still serves."""
        self._drain()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._without_traceback(send))
            return
        if scope["type"] != "http" or self._metrics is None:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        current = CurrentRequest()
        CURRENT.set(current)
        # EventGate took /V1/Events/ too, so such clients may exist.
        path = scope["path"]
        found = self._wires.get(path) or self._wires.get(path.rstrip("/").lower())
        status = 500  # what is answered if this is left by an exception
        try:
            if found:
                status = await self._answered(found[1], scope, receive, _through(send), current)
            else:
                status = await self._passed_on(scope, receive, send, current)
        finally:
            label = found[0] if found else _route_of(scope)
            self._ended(scope, label, status, started, current)

    def _ended(
        self, scope: Any, label: str, status: int, started: float, current: CurrentRequest
    ) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        if self._metrics is not None:
            self._metrics.observe_request(label, method, status, started)
        if self._access_log is not None:
            self._access_log.tell(scope, method, label, status, started)
        current.is_over = True

    async def answer_whole(self, exchange: Exchange, route: HotRoute) -> None:
        """Answer a request that came whole, for one of the `hot` paths."""
        started = time.perf_counter()
        current = CurrentRequest()
        CURRENT.set(current)
        scope = exchange.scope
        label, wire = route.target

        def sending(reply: Reply, beside: Headers, _unread: Receive | None) -> Awaitable[int]:
            return write_reply(exchange, reply, beside)

        status = 500
        try:
            status = await self._answered(
                wire, scope, WholeBody(exchange.taken()), sending, current
            )
        except Exception:  # noqa: BLE001 (the log has it already)
            exchange.abandon()
        except BaseException:
            exchange.abandon()
            raise
        finally:
            self._ended(scope, label, status, started, current)

    def _without_traceback(self, send: Send) -> Send:
        # A wrong configuration is told by `problems`, in the operator's words.
        async def sending(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed" and self.problems:
                message = {"type": message["type"], "message": ""}
            await send(message)

        return sending

    async def _answered(
        self, wire: Wire, scope: Any, receive: Receive, sending: Sending, current: CurrentRequest
    ) -> int:
        begun = False

        def answer(reply: Reply, unread: Receive | None = None) -> Awaitable[int]:
            nonlocal begun
            begun = True
            beside: Headers = self._cors.headers(scope) if self._cors.on else ()
            if current.id is not None:
                beside = (*beside, (NAME, current.id.encode()))
            elif reply.status not in ALL_IS_WELL:
                beside = (*beside, beside_answer(current, scope))
            return sending(reply, beside, unread)

        try:
            if scope["method"] == "OPTIONS":
                take_id(current, scope)
                beside = () if current.id is None else (beside_answer(current, scope),)
                if has_body(scope):  # nothing reads it
                    beside = (*beside, CLOSE)
                return await sending(self._cors.preflight(scope), beside, None)
            if not self._admission.admits():
                if isinstance(receive, WholeBody):
                    return await answer(OVERLOADED_WHOLE)
                return await answer(OVERLOADED, receive)
            return await wire(scope, receive, answer)
        except ClientGone:
            return CLIENT_CLOSED
        except asyncio.CancelledError:
            # The grace period is over.
            if begun:
                raise
            if current.is_handed_over:
                return await answer(CUT_OFF)
            reply = plain_failure(503, "The service is stopping.", (RETRY_AFTER, CLOSE))
            return await answer(reply)
        except Exception:
            take_id(current, scope)
            logger.exception("A request could not be answered; this is a defect.")
            if begun:
                raise
            return await answer(plain_failure(500, "Sluiceway failed; see its log."))

    async def _passed_on(
        self, scope: Any, receive: Receive, send: Send, current: CurrentRequest
    ) -> int:
        status = CLIENT_CLOSED
        beside: Headers = (
            *SAFETY,
            *(self._cors.headers(scope) if self._cors.on else ()),
            beside_answer(current, scope),
        )
        if has_body(scope):  # nothing here reads one
            beside = (*beside, CLOSE)

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *beside]
            await send(message)

        await self._app(scope, receive, sending)
        return status


def _through(send: Send) -> Sending:
    def sending(reply: Reply, beside: Headers, unread: Receive | None) -> Awaitable[int]:
        return send_reply(send, reply, beside=beside, unread=unread)

    return sending


def _route_of(scope: Any) -> str:
    """Return the pattern of the route that answered, never the path that was asked for."""
    return getattr(scope.get("route"), "path", None) or "other"

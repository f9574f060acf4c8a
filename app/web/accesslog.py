"""The access log: a line about each request, without anything that its sender wrote."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from app.core.current import CURRENT
from app.core.events import Context, Outcome
from app.logs import ACCESS
from app.streams.privacy import truncated

logger = logging.getLogger(ACCESS)

FAILED = 400
PARTLY = 207

AddressRule = Literal["drop", "truncate", "keep"]


class AccessLog:
    """Tells of requests that ended: all that failed, and a `sample` of the others.

    `client_ip` says how much of a client's address is told, `client_of` reads it off a request.
    """

    def __init__(
        self,
        *,
        sample: float,
        client_ip: AddressRule,
        client_of: Callable[[Any], str | None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sample = sample
        self._client_ip = client_ip
        self._client_of = client_of
        self._chance = chance

    def tell(self, scope: Any, method: str, route: str, status: int, started: float) -> None:
        """Write the line; `started` is the `time.perf_counter()` of the request's head."""
        current = CURRENT.get()
        events = (current.tally if current else None) or {}
        well = status < FAILED and status != PARTLY and events.keys() <= {"success"}
        if well and self._chance() >= self._sample:
            return
        line: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round((time.perf_counter() - started) * 1_000, 3),
            **events,
        }
        if self._client_ip != "drop":
            line["client"] = self._client(scope)
        logger.info("A request was answered.", extra=line)

    def _client(self, scope: Any) -> str | None:
        address = self._client_of(scope)
        return truncated(address) if address and self._client_ip == "truncate" else address


def tally(outcomes: Sequence[Outcome], _context: Context) -> None:
    """Count the outcomes of the request that this task works for."""
    current = CURRENT.get()
    if current is None:
        return
    if current.tally is None:
        current.tally = {}
    for outcome in outcomes:
        current.tally[outcome.status] = current.tally.get(outcome.status, 0) + 1

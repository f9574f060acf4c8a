"""Rates: how much each client may send, as token buckets that only recent clients have."""

import math
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from app.core.errors import RateLimited

HOUSEHOLD = 64
"""Bits of an IPv6 address that are one client: whoever has one address there has them all."""

_ALMOST = 1e-6


class Rate(NamedTuple):
    """So many in a second over time, and so many at once."""

    per_second: float
    burst: float


class Buckets:
    """A bucket for each client, refilled as time goes by; full for those not remembered.

    A bucket with one token left lets any number be taken, and is then in debt: so a batch of any
    size gets through, and over time nobody gets more than the rate.
    """

    def __init__(self, rate: Rate, *, max_clients: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._max_clients = max_clients
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._held)

    def wait(self, client: str) -> float:
        """Return the seconds until the client may take something, 0 for now."""
        lacking = 1 - _ALMOST - self._tokens(client)
        return lacking / self._rate.per_second if lacking > 0 else 0.0

    def take(self, client: str, count: int) -> None:
        """Take tokens out of the client's bucket, whatever it holds."""
        tokens = self._tokens(client) - count
        self._held.pop(client, None)  # so that the order is that of the last use
        self._held[client] = (tokens, self._clock())
        if len(self._held) > self._max_clients:
            del self._held[next(iter(self._held))]

    def _tokens(self, client: str) -> float:
        held = self._held.get(client)
        if held is None:
            return self._rate.burst
        tokens, since = held
        return min(self._rate.burst, tokens + (self._clock() - since) * self._rate.per_second)


class Rates:
    """Limits how many requests and events each client may send; None: without limit."""

    def __init__(
        self,
        *,
        requests: Rate | None,
        events: Rate | None,
        max_clients: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        def buckets(rate: Rate | None) -> Buckets | None:
            return Buckets(rate, max_clients=max_clients, clock=clock) if rate else None

        self._requests = buckets(requests)
        self._events = buckets(events)

    def check(self, client: str) -> None:
        """Check that a client may send now; raises RateLimited."""
        wait, what = max(
            (0.0 if buckets is None else buckets.wait(client), what)
            for buckets, what in ((self._requests, "requests"), (self._events, "events"))
        )
        if wait > 0:
            raise _limited(what, wait)

    def take_request(self, client: str) -> None:
        """Count a request."""
        if self._requests is not None:
            self._requests.take(client, 1)

    def take_events(self, client: str, count: int) -> None:
        """Count events; raises RateLimited if others of the client came first meanwhile."""
        if self._events is not None and count:
            wait = self._events.wait(client)
            if wait > 0:
                raise _limited("events", wait)
            self._events.take(client, count)


def client_of(subject: str | None, address: str | None) -> str:
    """Return whom a limit is about: who somebody proved to be, else where they send from."""
    if subject is not None:
        return f"subject {subject}"
    return f"address {_network(address) if address else ''}"


@lru_cache(4_096)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), HOUSEHOLD), strict=False))
    return str(parsed)


def _limited(what: str, wait: float) -> RateLimited:
    seconds = max(1, math.ceil(wait))
    return RateLimited(
        f"You have sent more {what} than you may.",
        retry_after=seconds,
        hint=f"Send it again in {seconds} s, and less often.",
    )

"""Servers of schemas and stream configurations: whether they answer, and their clocks."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from app.schemas.sources import without_password

PATIENCE = 4.0
"""Seconds for one answer."""

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup)


@dataclass(frozen=True, slots=True)
class Visit:
    """How a server answered: a status, or else `trouble`.

    `ahead` says by how many seconds the server's clock is ahead of ours; None if it told no time.
    """

    server: str
    seconds: float
    status: int = 0
    trouble: str = ""
    ahead: float | None = None


def server_of(uri: str) -> str:
    """Return scheme, host and port of an http(s) URI, without a user or password."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # the visit will tell what is wrong with it
        return without_password(uri)
    return f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2]}"


async def visit_all(
    uris: Iterable[str], patience: float = PATIENCE, clock: Callable[[], float] = time.time
) -> dict[str, Visit]:
    """Ask each server of these http(s) URIs for its root, once; return the visits by server."""
    servers = list(dict.fromkeys(map(server_of, uris)))
    async with httpx.AsyncClient(timeout=patience) as client:
        visits = await asyncio.gather(*(_visit(client, s, patience, clock) for s in servers))
    return dict(zip(servers, visits, strict=True))


async def _visit(
    client: httpx.AsyncClient, server: str, patience: float, clock: Callable[[], float]
) -> Visit:
    began = clock()
    try:
        async with (
            asyncio.timeout(patience),
            client.stream("GET", f"{server}/", follow_redirects=False) as answer,
        ):
            ended = clock()
            told = _time_of(answer.headers.get("date"))
            # The header has whole seconds, so on average the server's time is half of one later.
            ahead = None if told is None else told + 0.5 - (began + ended) / 2
            return Visit(server, ended - began, answer.status_code, ahead=ahead)
    except TimeoutError:
        trouble = f"no answer within {patience:g} s"
    except _FAILURES as error:
        trouble = str(error) or type(error).__name__
    return Visit(server, clock() - began, trouble=trouble)


def _time_of(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None

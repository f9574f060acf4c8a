"""The schemas that events are judged by: found, made whole and compiled once, then remembered."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from app import outgoing
from app.core.errors import (
    ConfigError,
    EventError,
    SchemaNotFound,
    SchemaUnavailable,
    SchemaUnusable,
)
from app.core.json import text_of
from app.schemas.closure import BrokenSchema, Closure, closure_of
from app.schemas.drafts import draft_of
from app.schemas.failures import FAILURE_TTL, Failures
from app.schemas.refusals import Refusals
from app.schemas.repository import Found, Repository
from app.schemas.secure import check_secure
from app.schemas.sources import FileSource, HttpSource, SchemaSource
from app.schemas.uris import LATEST, canonical_uri, name_of
from app.schemas.validator import Schema

logger = logging.getLogger(__name__)

BUILTIN = Path(__file__).parent / "builtin"
"""A repository of our own schemas, asked after all others."""

MAX_SAID = 8_000
STOPPING = "The service is stopping."
_HTTP = ("http://", "https://")


class SchemaStore:
    """Schemas by URI.

    A schema that was had once is kept for ever (versions never change), the least used ones beyond
    `cache_size` excepted. What was not found, or cannot be used, is remembered for `negative_ttl`
    seconds, what failed for 2, what `latest` means for `latest_ttl`. However many ask at once, a
    schema is fetched once. Times are in seconds: `fetch_timeout` bounds one document from one
    server, twice as much a schema with all that it refers to. `max_bytes` bounds a document.
    """

    def __init__(
        self,
        *,
        base_uris: Sequence[str],
        allow_absolute: bool = False,
        allow_insecure: bool = False,
        cache_size: int = 5000,
        negative_cache_size: int = 10_000,
        negative_ttl: float = 10.0,
        latest_ttl: float = 60.0,
        fetch_timeout: float = 5.0,
        max_bytes: int = 1_048_576,
        max_concurrent_fetches: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_uris = list(base_uris)
        self._allow_absolute = allow_absolute
        self._allow_insecure = allow_insecure
        self._cache_size = cache_size
        self._latest_ttl = latest_ttl
        self._fetch_timeout = fetch_timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._max_concurrent_fetches = max_concurrent_fetches
        self._fetching = asyncio.Semaphore(max_concurrent_fetches)
        self._repository = Repository([])
        # By the URI as it was spelled: what events say most is answered by one look.
        self._spelled: dict[str, Schema] = {}
        self._schemas: OrderedDict[str, Schema] = OrderedDict()
        self._latest: dict[str, tuple[float, Schema]] = {}
        self._failed = Failures(not_found_ttl=negative_ttl, size=negative_cache_size, clock=clock)
        self._refusals = Refusals(clock=clock)
        self._flights: dict[str, asyncio.Task[Schema]] = {}
        self._stack = AsyncExitStack()
        self._stopping = False

    @property
    def cached(self) -> int:
        """How many schemas are kept."""
        return len(self._schemas)

    @property
    def refused(self) -> int:
        """How many schemas are there, were asked for lately, and cannot be used."""
        return self._refusals.count

    @property
    def fetches(self) -> int:
        """How often the repositories were asked for a document."""
        return self._repository.fetches

    async def start(self) -> None:
        """Open the repositories; raises ConfigError with all that cannot be."""
        client = None
        if self._allow_absolute or any(uri.startswith(_HTTP) for uri in self._base_uris):
            client = outgoing.client(timeout=self._fetch_timeout)
            self._stack.push_async_callback(client.aclose)
        sources: list[SchemaSource] = []
        problems: list[str] = []
        for uri in self._base_uris:
            try:
                sources.append(self._source(uri, client))
            except ConfigError as error:
                problems += error.problems
        if problems:
            await self.stop()
            raise ConfigError(*problems)
        absolute = self._source("", client) if self._allow_absolute else None
        builtin = self._source(str(BUILTIN), None)
        self._repository = Repository(sources, absolute=absolute, builtin=builtin)

    async def stop(self) -> None:
        """Let go of everything; who still waits for a schema is told that it is unavailable."""
        self._stopping = True
        for flight in self._flights.values():
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)
        await self._stack.aclose()

    def at_hand(self, uri: str) -> Schema | None:
        """Return the compiled schema if it is in memory under this very spelling, not `latest`."""
        schema = self._spelled.get(uri)
        if schema is not None:
            self._schemas.move_to_end(schema.uri)
        return schema

    async def get(self, uri: str, *, wait: float | None = None) -> Schema:
        """Return the compiled schema; raises SchemaNotFound or SchemaUnavailable, nothing else.

        After `wait` seconds it is unavailable; what was begun goes on, so that it is there later.
        Nothing is begun for a caller who has no time left.

        SchemaUnusable, which is one of them, tells of itself now and then (`is_told`).
        """
        schema = self.at_hand(uri)
        if schema is not None:
            return schema
        canonical = canonical_uri(uri, allow_absolute=self._allow_absolute)
        try:
            schema = await self._of_canonical(canonical, wait)
        except SchemaUnusable as error:
            raise self._refusals.of(canonical, error) from error
        self._refusals.mended(canonical)
        if name_of(canonical) != LATEST and schema.uri in self._schemas:
            if len(self._spelled) >= 2 * self._cache_size:
                self._spelled.clear()
            self._spelled[uri] = schema
        return schema

    async def precache(self, uris: Iterable[str]) -> list[str]:
        """Load schemas; return a sentence for each that cannot be had."""
        wanted = list(dict.fromkeys(uris))
        problems: list[str] = []
        # No more at once than are fetched at once: waiting counts against a fetch's time.
        for start in range(0, len(wanted), self._max_concurrent_fetches):
            some = wanted[start : start + self._max_concurrent_fetches]
            answers = await asyncio.gather(*map(self.get, some), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, EventError):
                    problems.append(str(answer))
                elif isinstance(answer, BaseException):
                    raise answer
        return problems

    def _source(self, uri: str, client: httpx.AsyncClient | None) -> SchemaSource:
        if uri and not uri.startswith(_HTTP):
            return FileSource(uri, max_bytes=self._max_bytes)
        assert client is not None  # opened for any such URI
        return HttpSource(
            uri, client=client, max_bytes=self._max_bytes, timeout=self._fetch_timeout
        )

    async def _of_canonical(self, uri: str, wait: float | None) -> Schema:
        schema = self._schemas.get(uri)
        if schema is not None:
            self._schemas.move_to_end(uri)
            return schema
        known = self._latest.get(uri)
        if known and self._clock() < known[0]:
            return known[1]
        failed = self._failed.of(uri)
        if failed is not None:
            raise failed
        try:
            return await self._landed(uri, wait)
        except SchemaUnavailable:
            if known:  # better an old answer than none: versions never change
                self._latest[uri] = (self._clock() + FAILURE_TTL, known[1])
                return known[1]
            raise

    async def _landed(self, uri: str, wait: float | None) -> Schema:
        if self._stopping:
            raise SchemaUnavailable(STOPPING)
        if wait is not None and wait <= 0:
            raise _too_late(uri)
        flight = self._flights.get(uri)
        if flight is None:
            flight = self._flights[uri] = asyncio.create_task(self._fetched(uri))
            flight.add_done_callback(lambda done: self._ended(uri, done))
        try:
            async with asyncio.timeout(wait):
                # Whoever gives up waiting must not take the schema from the others.
                return await asyncio.shield(flight)
        except TimeoutError:
            raise _too_late(uri) from None
        except asyncio.CancelledError:
            if flight.cancelled():
                raise SchemaUnavailable(STOPPING) from None
            raise

    def _ended(self, uri: str, flight: asyncio.Task[Schema]) -> None:
        del self._flights[uri]
        if flight.cancelled():
            return
        error = flight.exception()
        if isinstance(error, SchemaNotFound | SchemaUnavailable):
            self._failed.remember(uri, error)

    async def _fetched(self, uri: str) -> Schema:
        patience = self._fetch_timeout * 2
        try:
            # Waiting for a turn counts: a flood of unknown URIs must not make others wait for ever.
            async with asyncio.timeout(patience), self._fetching:
                found = await self._repository.find(uri)
                schema = self._schemas.get(found.uri) or await self._compiled(found)
        except TimeoutError as error:
            raise SchemaUnavailable(
                f"Schema {uri} did not come within {patience:g} s.", pointer="/$schema"
            ) from error
        except EventError:
            raise
        except Exception as error:
            # Whatever it was: remembered as a failure, it is not tried again by every event.
            logger.exception("A schema failed in a way that is not foreseen.", extra={"uri": uri})
            raise SchemaUnavailable(
                f"Schema {uri} cannot be had: a defect of this service "
                f"({type(error).__name__}), whose log says more.",
                pointer="/$schema",
            ) from error
        schema = self._keep(schema)
        if found.uri != uri:
            if len(self._latest) >= self._cache_size:
                self._latest.clear()
            self._latest[uri] = (self._clock() + self._latest_ttl, schema)
        return schema

    async def _compiled(self, found: Found) -> Schema:
        draft = draft_of(found.document)
        if draft is None:
            raise _unusable(found.uri, "its $schema names no draft that is known here")
        try:
            closure = await closure_of(found.uri, found.document, draft, self._repository.find)
            return await asyncio.to_thread(self._made, closure)
        except BrokenSchema as error:
            raise _unusable(found.uri, str(error)) from error
        except SchemaNotFound as error:
            raise _unusable(found.uri, f"it refers to a schema that is missing. {error}") from error

    def _made(self, closure: Closure) -> Schema:
        if not self._allow_insecure:
            check_secure(closure)
        return Schema(closure)

    def _keep(self, schema: Schema) -> Schema:
        """Return the one that is kept: `latest` may have brought it at the same moment."""
        schema = self._schemas.setdefault(schema.uri, schema)
        while len(self._schemas) > self._cache_size:
            dropped = self._schemas.popitem(last=False)[1]
            for spelled in [uri for uri, it in self._spelled.items() if it.uri == dropped.uri]:
                del self._spelled[spelled]
        return schema


def _too_late(uri: str) -> SchemaUnavailable:
    return SchemaUnavailable(
        f"Schema {uri} did not come in the time that a request has for all its schemas.",
        pointer="/$schema",
        hint="Send the event again later; whoever runs the schema repository has to look.",
    )


def _unusable(uri: str, why: str) -> SchemaUnusable:
    # A schema may hold names of any length, and halves of characters.
    return SchemaUnusable(
        f"Schema {uri} cannot be used: {text_of(why, MAX_SAID)}.",
        pointer="/$schema",
        hint="The schema has to be mended; the event is not at fault.",
    )

"""The schemas that events are judged by: found, made whole and compiled once, then remembered."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from app.core.errors import ConfigError, EventError, SchemaNotFound, SchemaUnavailable
from app.schemas.closure import BrokenSchema, whole
from app.schemas.drafts import draft_of
from app.schemas.repository import Found, Repository
from app.schemas.secure import insecure_places
from app.schemas.sources import FileSource, HttpSource, SchemaSource
from app.schemas.uris import LATEST, canonical_uri, name_of
from app.schemas.validator import Schema

BUILTIN = Path(__file__).parent / "builtin"
"""A repository of our own schemas, asked after all others."""

FAILURE_TTL = 2.0
MAX_PLACES = 5


class SchemaStore:
    """Schemas by URI.

    A schema that was had once is kept for ever (versions never change), the least used ones beyond
    `cache_size` excepted. What was not found is remembered for `negative_ttl` seconds, what
    failed for 2, what `latest` means for `latest_ttl`. However many ask at once, a schema is
    fetched once. Times are in seconds, `max_bytes` bounds a document.
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
        self._base_uris = [*base_uris, str(BUILTIN)]
        self._allow_absolute = allow_absolute
        self._allow_insecure = allow_insecure
        self._cache_size = cache_size
        self._negative_cache_size = negative_cache_size
        self._negative_ttl = negative_ttl
        self._latest_ttl = latest_ttl
        self._fetch_timeout = fetch_timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._fetching = asyncio.Semaphore(max_concurrent_fetches)
        self._repository = Repository([], absolute=None)
        # By the URI as it was spelled: what events say most is answered by one look.
        self._spelled: dict[str, Schema] = {}
        self._schemas: OrderedDict[str, Schema] = OrderedDict()
        self._latest: dict[str, tuple[float, Schema]] = {}
        self._failed: OrderedDict[str, tuple[float, EventError]] = OrderedDict()
        self._flights: dict[str, asyncio.Task[Schema]] = {}
        self._stack = AsyncExitStack()

    @property
    def cached(self) -> int:
        """How many schemas are kept."""
        return len(self._schemas)

    @property
    def fetches(self) -> int:
        """How often the repositories were asked for a document."""
        return self._repository.fetches

    async def start(self) -> None:
        """Open the repositories; raises ConfigError with all that cannot be."""
        client = httpx.AsyncClient(timeout=self._fetch_timeout, follow_redirects=False)
        self._stack.push_async_callback(client.aclose)
        sources: list[SchemaSource] = []
        problems: list[str] = []
        for uri in self._base_uris:
            if uri.startswith(("http://", "https://")):
                sources.append(HttpSource(uri, client=client, max_bytes=self._max_bytes))
                continue
            try:
                sources.append(FileSource(uri, max_bytes=self._max_bytes))
            except ConfigError as error:
                problems += error.problems
        if problems:
            await self.stop()
            raise ConfigError(*problems)
        absolute = _Absolute(client, self._max_bytes) if self._allow_absolute else None
        self._repository = Repository(sources, absolute=absolute)

    async def stop(self) -> None:
        """Let go of everything; who still waits for a schema is told that it is unavailable."""
        for flight in self._flights.values():
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)
        await self._stack.aclose()

    async def get(self, uri: str) -> Schema:
        """Return the compiled schema; raises SchemaNotFound or SchemaUnavailable, nothing else."""
        schema = self._spelled.get(uri)
        if schema is not None:
            return schema
        canonical = canonical_uri(uri, allow_absolute=self._allow_absolute)
        schema = await self._of_canonical(canonical)
        if name_of(canonical) != LATEST:
            if len(self._spelled) >= 2 * self._cache_size:
                self._spelled.clear()
            self._spelled[uri] = schema
        return schema

    async def precache(self, uris: Iterable[str]) -> list[str]:
        """Load schemas; return a sentence for each that cannot be had."""

        async def problem(uri: str) -> str | None:
            try:
                await self.get(uri)
            except EventError as error:
                return str(error)
            return None

        return [text for text in await asyncio.gather(*map(problem, uris)) if text]

    async def _of_canonical(self, uri: str) -> Schema:
        schema = self._schemas.get(uri)
        if schema is not None:
            self._schemas.move_to_end(uri)
            return schema
        known = self._latest.get(uri)
        if known and self._clock() < known[0]:
            return known[1]
        failed = self._failed.get(uri)
        if failed and self._clock() < failed[0]:
            raise failed[1].with_traceback(None)
        try:
            return await self._landed(uri)
        except SchemaUnavailable:
            if known:  # better an old answer than none: versions never change
                self._latest[uri] = (self._clock() + FAILURE_TTL, known[1])
                return known[1]
            raise

    async def _landed(self, uri: str) -> Schema:
        flight = self._flights.get(uri)
        if flight is None:
            flight = self._flights[uri] = asyncio.create_task(self._fetched(uri))
            flight.add_done_callback(lambda done: self._ended(uri, done))
        try:
            # Whoever gives up waiting must not take the schema from the others.
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if flight.cancelled():
                raise SchemaUnavailable("The service is stopping.") from None
            raise

    def _ended(self, uri: str, flight: asyncio.Task[Schema]) -> None:
        del self._flights[uri]
        if flight.cancelled():
            return
        error = flight.exception()
        if isinstance(error, SchemaNotFound | SchemaUnavailable):
            ttl = self._negative_ttl if isinstance(error, SchemaNotFound) else FAILURE_TTL
            self._failed[uri] = (self._clock() + ttl, error)
            self._failed.move_to_end(uri)
            while len(self._failed) > self._negative_cache_size:
                self._failed.popitem(last=False)

    async def _fetched(self, uri: str) -> Schema:
        async with self._fetching:
            try:
                async with asyncio.timeout(self._fetch_timeout * 2):
                    found = await self._repository.find(uri)
                    schema = self._schemas.get(found.uri) or await self._compiled(found)
            except TimeoutError as error:
                raise SchemaUnavailable(
                    f"Schema {uri} did not come within {self._fetch_timeout * 2:g} s.",
                    pointer="/$schema",
                ) from error
        self._keep(schema)
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
            made = await whole(found.uri, found.document, draft, self._referred)
            if not self._allow_insecure:
                _check_secure(made.documents)
            return await asyncio.to_thread(Schema, found.uri, made, draft)
        except BrokenSchema as error:
            raise _unusable(found.uri, str(error)) from error
        except SchemaNotFound as error:
            raise _unusable(found.uri, f"it refers to a schema that is missing. {error}") from error

    async def _referred(self, uri: str) -> Found:
        return await self._repository.find(canonical_uri(uri))

    def _keep(self, schema: Schema) -> None:
        self._schemas[schema.uri] = schema
        while len(self._schemas) > self._cache_size:
            dropped = self._schemas.popitem(last=False)[1]
            for spelled in [uri for uri, kept in self._spelled.items() if kept is dropped]:
                del self._spelled[spelled]


class _Absolute:
    """Fetches by absolute URI, where the settings allow that."""

    name = "absolute URIs"

    def __init__(self, client: httpx.AsyncClient, max_bytes: int) -> None:
        self._client = client
        self._max_bytes = max_bytes

    async def fetch(self, path: str) -> bytes | None:
        """See SchemaSource."""
        source = HttpSource("", client=self._client, max_bytes=self._max_bytes)
        return await source.fetch(path)


def _check_secure(documents: dict[str, dict[str, object]]) -> None:
    places = [f"{uri}{place}" for uri, doc in documents.items() for place in insecure_places(doc)]
    if places:
        more = f" (and {len(places) - MAX_PLACES} more)" if len(places) > MAX_PLACES else ""
        raise BrokenSchema(
            f"it could be slow to validate: {'; '.join(places[:MAX_PLACES])}{more}. Bound these "
            "places, or set schemas.allow_insecure"
        )


def _unusable(uri: str, why: str) -> SchemaUnavailable:
    return SchemaUnavailable(
        f"Schema {uri} cannot be used: {why}.",
        pointer="/$schema",
        hint="The schema has to be mended; the event is not at fault.",
    )

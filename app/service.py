"""The composition root: from settings to a running service. The only reader of settings."""

# The decoders that each request gets would have their annotations worked out each time.
from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app import __version__
from app.auth.identification import Identification
from app.core.errors import (
    ConfigError,
    EventError,
    InvalidEvent,
    MalformedEvent,
    SchemaUnavailable,
    SchemaUnusable,
)
from app.core.events import NOTHING, Context, Decoder, Outcome, RawEvent
from app.core.json import Unstorable, loads
from app.core.time import iso_of_ms
from app.core.yaml import YamlError, parse_yaml
from app.metrics import Metrics
from app.openauth import open_identification, open_rates
from app.outlets import Outlets, open_outlets, security_of
from app.pipeline.decoders import as_object, refusing
from app.pipeline.enrich import Enrichment
from app.pipeline.errorevents import ErrorEvents
from app.pipeline.gate import Pipeline
from app.rates import Rates
from app.schemas.store import SchemaStore
from app.settings import (
    JsonlSinkSettings,
    KafkaSinkSettings,
    Settings,
    SqliteSinkSettings,
    StreamSettings,
)
from app.sinks.base import Sink
from app.sinks.memory import MemorySink
from app.streams.live import LiveStreams
from app.streams.source import StreamSource
from legacy.adapter import LegacyAdapter
from legacy.capsule import is_capsule, may_be_told
from legacy.eventbus import is_eventbus
from legacy.formats import LineFormat
from legacy.mapping import Mapping as LegacyMapping
from legacy.mapping import MappingError
from legacy.useragent import parse_ua

logger = logging.getLogger(__name__)

DEMO = Path(__file__).parent / "demo"
FLUSH_EVERY = 0.25
"""Seconds that another worker's counts may be behind."""
FLUSHES = 20
"""After so many of these, the gauges are brought up to date, too."""

BOTH_ARE_BELIEVED = (
    "Of trusted proxies both X-Client-IP and X-Forwarded-For are believed, though one that a proxy "
    "passes on as it got it is the client's own word. Name the one that it writes in "
    "http.client_address_headers."
)
NOBODY_IS_KNOWN = (
    "Streams name their producers, but the settings auth.api_keys, auth.api_keys_file and auth.jwt "
    "name nobody who could prove to be one: nothing is taken for these streams."
)

Step = Callable[[], Awaitable[None]]

SINK_GRACE = 5.0
"""Seconds in which a sink may write what it has taken, when the service ends."""


@dataclass(slots=True)
class Service:
    """A running service: what the wires and the commands work with."""

    settings: Settings
    streams: LiveStreams
    schemas: SchemaStore
    outlets: Outlets
    pipeline: Pipeline
    metrics: Metrics
    legacy: LegacyAdapter
    test_events: Sequence[Any] | None
    identification: Identification | None
    rates: Rates | None
    draining: bool = False

    @property
    def lacks_identification(self) -> bool:
        """Whether streams name their producers, and nobody can prove to be one."""
        current = self.streams.current
        return self.identification is None and current is not None and current.have_producers

    @property
    def sink(self) -> Sink:
        """Where events go of requests that wait for their answer."""
        return self.outlets.sink

    def process(
        self, raws: Sequence[RawEvent], context: Context, decode: Decoder = as_object
    ) -> Awaitable[list[Outcome]]:
        """Take raw events through the pipeline; by default those of the modern wire."""
        return self.pipeline.process(raws, decode, context)

    def beacon_decoder(self, context: Context) -> Decoder:
        """Return the decoder for the query of an old beacon that came with this request."""
        received_dt = iso_of_ms(context.received_ms)

        def decode(query: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return self.legacy.beacon(query, received_dt=received_dt)

        return decode

    def events_decoder(self, context: Context) -> Decoder:
        """Return the decoder for JSON: modern events, and old ones that their shape tells."""

        def decode(payload: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
            if isinstance(payload, dict):
                if "$schema" in payload:
                    return payload, NOTHING
                if is_capsule(payload):
                    return self.capsule_decoder(context)(payload)
                if is_eventbus(payload):
                    return self.legacy.eventbus(payload, latest_of=self.latest_of)
            if isinstance(payload, Unstorable) and is_capsule(payload.value):
                return self.capsule_decoder(context)(payload)
            return as_object(payload)

        return decode

    def capsule_decoder(self, context: Context) -> Decoder:
        """Return the decoder for old capsules that came with this request as JSON."""

        def decode(payload: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
            if isinstance(payload, Unstorable) and isinstance(payload.value, dict):
                problem = payload.problem
                raise MalformedEvent(
                    str(problem), pointer=problem.pointer, told=may_be_told(payload.value)
                ) from problem
            capsule, _ = as_object(payload)
            return self.legacy.capsule(capsule, received_dt=iso_of_ms(context.received_ms))

        return decode

    def log_line_decoder(self, context: Context, form: LineFormat) -> Decoder:
        """Return the decoder for lines of an old log in this format, as bytes."""
        received_dt = iso_of_ms(context.received_ms)

        def decode(line: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
            return self.legacy.log_line(line, received_dt=received_dt, form=form)

        return decode

    async def refuse(self, error: EventError, payload: bytes, context: Context) -> list[Outcome]:
        """Record that a whole request was refused, as one event that could not be read."""
        raw = RawEvent(payload)
        if isinstance(error, InvalidEvent):
            return await self.pipeline.process([raw], refusing(error), context)
        outcomes = [Outcome(raw, None, None, None, error)]
        for observer in self.pipeline.observers:
            observer(outcomes, context)
        return outcomes

    def latest_of(self, stream: str) -> str | None:
        """Return the URI of the latest version of a stream's schema, None without such a stream."""
        with suppress(EventError):  # it will be said when the event gets there
            return f"/{self.streams.get(stream).schema_title}/latest"
        return None

    async def ready(self) -> tuple[bool, str]:
        """Say whether requests should be sent here, and a sentence if not."""
        if self.draining:
            return False, "The service is stopping."
        if not self.streams.ready:
            return False, f"No stream configuration yet: {self.streams.last_error}"
        health = await self.sink.healthy()
        return health.ok, health.detail

    def drain(self) -> None:
        """Say that the service is about to stop: it still serves, but is no longer ready."""
        self.draining = True
        logger.info("Stopping: requests in flight are finished first.")

    async def refresh_gauges(self) -> None:
        """Bring the gauges up to date, before metrics are read."""
        current = self.streams.current
        self.metrics.streams.set(len(current) if current else 0)
        self.metrics.streams_age.set(_age(self.streams.age_seconds))
        self.metrics.schemas.set(self.schemas.cached)
        self.metrics.schemas_refused.set(self.schemas.refused)
        if self.identification and self.identification.tokens:
            self.metrics.jwks_age.set(_age(self.identification.tokens.keys_age))
        self.metrics.pending.set(self.metrics.pending_bytes())
        self.metrics.flush()
        self.outlets.refresh(self.metrics)
        ready, _ = await self.ready()
        self.metrics.ready.set(1 if ready else 0)


def _age(seconds: float | None) -> float:
    """Return an age as metrics have it: what was never had is older than any limit of an alert."""
    return math.inf if seconds is None else seconds


@asynccontextmanager
async def open_service(settings: Settings, *, sink: Sink | None = None) -> AsyncIterator[Service]:
    """Start a service and stop it at the end; raises ConfigError with all that is wrong.

    `sink` takes the place of the configured one, for tests and replays.
    """
    metrics = Metrics()
    outlets = Outlets(sink) if sink else open_outlets(settings, metrics)
    streams = LiveStreams(
        source=_stream_source(settings),
        topic_prefix=settings.topic_prefix,
        header_fields=_header_fields(settings),
        ttl=settings.streams.ttl,
        max_shrink=settings.streams.max_shrink,
        extra=_own_streams(settings),
    )
    schemas = SchemaStore(
        base_uris=settings.schemas.base_uris or [str(DEMO / "schemas")],
        allow_absolute=settings.schemas.allow_absolute_uris,
        allow_insecure=settings.schemas.allow_insecure,
        cache_size=settings.schemas.cache_size,
        negative_ttl=settings.schemas.negative_ttl,
        latest_ttl=settings.schemas.latest_ttl,
        fetch_timeout=settings.schemas.fetch_timeout,
        max_bytes=settings.schemas.max_size,
    )
    legacy, legacy_problems = _legacy(settings)
    test_events, test_problems = _test_events(settings)
    identification, auth_problems = open_identification(settings.auth, metrics.count_jwks_fetch)
    problems = [*legacy_problems, *test_problems, *auth_problems]

    async with AsyncExitStack() as stack:
        stack.callback(metrics.flush)
        parts: list[tuple[Step, Step]] = [
            (schemas.start, schemas.stop),
            (streams.start, streams.stop),
        ]
        if identification:
            parts.append((identification.start, identification.stop))
        parts += [(each.start, partial(each.stop, SINK_GRACE)) for each in outlets.all]
        for start, stop in parts:
            try:
                await start()
            except ConfigError as error:
                problems += error.problems
            else:
                stack.push_async_callback(stop)
        if problems:
            raise ConfigError(*problems)
        error_events = await _error_events(settings, schemas)
        for problem in await schemas.precache(settings.schemas.precache_uris):
            logger.warning("A schema to precache is not to be had.", extra={"problem": problem})
        pipeline = Pipeline(
            streams=streams,
            schemas=schemas,
            sink=outlets.sink,
            hasty_sink=outlets.hasty,
            enrich=Enrichment(
                keep_client_dt=settings.meta_dt == "client", parse_user_agent=parse_ua
            ),
            error_events=error_events,
            max_event_size=settings.http.max_event_size,
            produce_timeout=settings.http.produce_timeout,
            schema_timeout=settings.http.produce_timeout,
            observers=[metrics.observe],
            error_event_observer=metrics.count_error_events,
            produce_observer=metrics.observe_produce,
        )
        service = Service(
            settings=settings,
            streams=streams,
            schemas=schemas,
            outlets=outlets,
            pipeline=pipeline,
            metrics=metrics,
            legacy=legacy,
            test_events=test_events,
            identification=identification,
            rates=open_rates(settings.limits),
        )
        if service.lacks_identification:
            logger.warning(NOBODY_IS_KNOWN)
        if settings.http.believes_both:
            logger.warning(BOTH_ARE_BELIEVED)
        await service.refresh_gauges()
        tending = asyncio.create_task(_tend(service))
        stack.push_async_callback(_ended, tending)
        yield service


async def _tend(service: Service) -> None:
    # Any worker answers for the gauges of all, so each keeps its own fresh.
    while True:
        for _ in range(FLUSHES):
            await asyncio.sleep(FLUSH_EVERY)
            service.metrics.flush()
        await service.refresh_gauges()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def check(settings: Settings) -> tuple[list[str], list[str]]:
    """Try what a start needs, without making the sink's file.

    Return what would keep the service from starting, and what would keep it from being whole.
    """
    try:
        async with open_service(settings, sink=MemorySink()) as service:
            lacks = await service.schemas.precache(settings.schemas.precache_uris)
            if not service.streams.ready:
                lacks.append(f"streams: {service.streams.last_error}")
            lacks += await _refused_schemas(service)
            tokens = service.identification.tokens if service.identification else None
            if tokens and tokens.keys_problem:
                lacks.append(f"auth.jwt.jwks: {tokens.keys_problem}")
            if service.lacks_identification:
                lacks.append(NOBODY_IS_KNOWN)
    except ConfigError as error:
        return [*error.problems, *_sink_problems(settings)], []
    return _sink_problems(settings), lacks


async def _refused_schemas(service: Service) -> list[str]:
    """Return a sentence for each stream whose latest schema is there and cannot be used."""
    problems = []
    current = service.streams.current
    for name in current.names if current else ():
        latest = service.latest_of(name)
        try:
            await service.schemas.get(latest or "")
        except SchemaUnusable as error:
            problems.append(f"stream {name}: {error}")
        except SchemaUnavailable as error:  # the others will not be had either
            return [*problems, f"stream {name}: {error}"]
        except EventError:  # a title may well have no latest version, or not yet
            continue
    return problems


def about(settings: Settings) -> dict[str, str]:
    """Return what /_info says."""
    return {
        "name": settings.service_name,
        "version": __version__,
        "description": "An event stream intake service.",
        "home": "/?doc",
    }


def _sink_problems(settings: Settings) -> list[str]:
    sink = settings.sink
    if isinstance(sink, SqliteSinkSettings | JsonlSinkSettings) and sink.path != "-":
        path = Path(sink.path)
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            return [f"sink.path: {path} cannot be written; its folder must exist and be writable."]
    try:
        open_outlets(settings, Metrics())
        if isinstance(sink, KafkaSinkSettings):
            security_of(sink).context()
    except ConfigError as error:
        return list(error.problems)
    return []


def _stream_source(settings: Settings) -> StreamSource:
    streams: StreamSettings = settings.streams
    return StreamSource(
        streams.uri or str(DEMO / "streams.yaml"),
        object_path=streams.object_path,
        headers=streams.headers,
        timeout=streams.timeout,
        retries=streams.retries,
    )


def _header_fields(settings: Settings) -> dict[str, str | None]:
    return {
        path: header.lower() if header else None
        for path, header in settings.enrich_fields_from_http_headers.items()
    }


def _own_streams(settings: Settings) -> dict[str, dict[str, Any]]:
    errors = settings.error_stream
    if errors.name is None:
        return {}
    # The title of an error schema is its path without the version, as in every repository.
    title = errors.schema_uri.strip("/").rpartition("/")[0]
    return {errors.name: {"schema_title": title}}


async def _error_events(settings: Settings, schemas: SchemaStore) -> ErrorEvents | None:
    errors = settings.error_stream
    if errors.name is None:
        return None
    for problem in await schemas.precache([errors.schema_uri]):
        raise ConfigError(f"error_stream.schema_uri: {problem}")
    return ErrorEvents(
        stream=errors.name,
        schema_uri=errors.schema_uri,
        emitter_id=settings.service_name,
        max_raw_event=errors.max_raw_event,
    )


def _legacy(settings: Settings) -> tuple[LegacyAdapter, list[str]]:
    path = settings.legacy.mapping
    if path is None and settings.demo:
        path = str(DEMO / "legacy-mapping.yaml")
    problems: list[str] = []
    mapping = LegacyMapping.parse({"schemas": {}})
    if path is not None:
        try:
            mapping = LegacyMapping.load(path)
        except MappingError as error:
            problems = [f"legacy.mapping: {problem}" for problem in error.problems]
    host = settings.legacy.recv_from or socket.gethostname()
    return LegacyAdapter(mapping, loads=loads, host=host), problems


def _test_events(settings: Settings) -> tuple[Sequence[Any] | None, list[str]]:
    path = settings.test_events
    if path is None and settings.demo:
        path = str(DEMO / "events.json")
    if path is None:
        return None, []
    try:
        value = parse_yaml(Path(path).read_bytes())
    except (OSError, YamlError) as error:
        return None, [f"test_events: {path} cannot be read: {error}"]
    events = value.get("good") if isinstance(value, dict) else value
    if not isinstance(events, list) or not events:
        return None, [f"test_events: {path} holds no list of events, nor an object with one: good"]
    return events, []

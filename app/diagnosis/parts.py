"""From settings to what is looked at: the same parts that a service would be made of."""

from pathlib import Path
from typing import Any

from app.diagnosis.kafka import Usage
from app.diagnosis.spool import Spooling
from app.diagnosis.topicconfigs import Demands
from app.outlets import security_of
from app.schemas.store import SchemaStore
from app.service import DEMO
from app.settings import KafkaSinkSettings, Settings
from app.sinks.kafka.broker import Access
from app.sinks.kafka.sink import address_of
from app.streams.source import StreamSource

_HTTP = ("http://", "https://")


def stream_source(settings: Settings, timeout: float) -> StreamSource:
    """Return where the stream configuration comes from; raises ConfigError."""
    streams = settings.streams
    return StreamSource(
        streams.uri or str(DEMO / "streams.yaml"),
        object_path=streams.object_path,
        headers=streams.headers,
        timeout=timeout,
    )


def own_streams(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the streams that exist whatever is configured, as entries of a configuration."""
    errors = settings.error_stream
    if errors.name is None:
        return {}
    return {errors.name: {"schema_title": errors.schema_uri.strip("/").rpartition("/")[0]}}


def repositories(settings: Settings) -> list[str]:
    """Return the base URIs of schema repositories."""
    return settings.schemas.base_uris or [str(DEMO / "schemas")]


def schema_store(settings: Settings, fetch_timeout: float) -> SchemaStore:
    """Return the schemas, not yet started."""
    schemas = settings.schemas
    return SchemaStore(
        base_uris=repositories(settings),
        allow_absolute=schemas.allow_absolute_uris,
        allow_insecure=schemas.allow_insecure,
        fetch_timeout=fetch_timeout,
        max_bytes=schemas.max_size,
    )


def remote_uris(settings: Settings) -> list[str]:
    """Return the http(s) URIs that the service depends on."""
    uris = [*settings.schemas.base_uris, settings.streams.uri or ""]
    return [uri for uri in uris if uri.lower().startswith(_HTTP)]


def kafka_usage(settings: Settings, sink: KafkaSinkSettings) -> Usage:
    """Return how the cluster would be used; raises ConfigError, reads certificates."""
    security = security_of(sink)
    access = Access(
        client_id=sink.client_id,
        security_protocol=security.protocol,
        ssl_context=security.context(),
        sasl_mechanism=security.mechanism,
        username=security.username,
        password=security.password,
    )
    demands = Demands(
        max_event_size=settings.http.max_event_size,
        acks_all=sink.guaranteed.acks == "all",
        client_times=settings.meta_dt == "client",
        spool_age=settings.spool.max_age if settings.spool.folder else None,
    )
    return Usage(
        bootstrap=[address_of(server) for server in sink.bootstrap_servers],
        access=access,
        demands=demands,
        idempotence=sink.guaranteed.idempotence or sink.hasty.idempotence,
        create=sink.create_topics,
    )


def spooling_of(settings: Settings, folder: str) -> Spooling:
    """Return how the spool is to be."""
    return Spooling(
        folder=Path(folder),
        destination=f"{settings.service_name} kafka",
        max_size=settings.spool.max_size,
        min_free=settings.spool.min_free,
        workers=settings.http.workers,
    )

"""From settings to the sinks that a service writes to; this part of the composition root is theirs.

A service has one sink for requests that wait for their answer, and where it pays another one for
hasty requests. A spool stands before both if there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.errors import ConfigError
from app.metrics import Metrics
from app.settings import (
    JsonlSinkSettings,
    KafkaSinkSettings,
    MemorySinkSettings,
    ProducerSettings,
    Settings,
    SqliteSinkSettings,
)
from app.sinks.base import QueueingSink, Sink
from app.sinks.jsonl import JsonlSink
from app.sinks.kafka.security import Security
from app.sinks.kafka.sink import KafkaSink
from app.sinks.memory import MemorySink
from app.sinks.spool import SpoolSink
from app.sinks.sqlite import SqliteSink
from app.spooling.spool import Spool

SINK_SHARE = 0.9
"""Of the time for producing, what a sink has to answer itself, which it can more precisely."""
SPOOLED_SHARE = 0.65
"""The same where a spool must still have time to write."""

GUARANTEED = "guaranteed"
HASTY = "hasty"


@dataclass(slots=True)
class Outlets:
    """Where events go; what of it is Kafka or a spool is named, for metrics."""

    sink: Sink
    hasty: Sink | None = None
    kafka: Mapping[str, KafkaSink] = field(default_factory=dict)
    spool: Spool | None = None

    @property
    def all(self) -> Sequence[Sink]:
        """Every sink, in the order in which they are started."""
        return [self.sink] if self.hasty is None else [self.sink, self.hasty]

    @property
    def queue_time(self) -> float:
        """Seconds for which the oldest records have waited to be written, where that is known."""
        return max(
            (each.queue_time for each in self.all if isinstance(each, QueueingSink)), default=0.0
        )

    def refresh(self, metrics: Metrics) -> None:
        """Bring the gauges of sinks up to date."""
        for lane, sink in self.kafka.items():
            figures = sink.figures
            metrics.kafka_up.labels(lane).set(int(figures.up))
            metrics.kafka_waiting.labels(lane).set(figures.waiting_records)
            metrics.kafka_waiting_bytes.labels(lane).set(figures.waiting_bytes)
        if self.spool is not None:
            metrics.observe_spool(self.spool.state())


def open_outlets(settings: Settings, metrics: Metrics) -> Outlets:
    """Return the configured sinks, not yet started."""
    share = SINK_SHARE if settings.spool.folder is None else SPOOLED_SHARE
    timeout = settings.http.produce_timeout * share
    sink = settings.sink
    match sink:
        case SqliteSinkSettings():
            return _spooled(Outlets(SqliteSink(sink.path, timeout=timeout)), settings)
        case JsonlSinkSettings():
            jsonl = JsonlSink(sink.path, fsync=sink.fsync, envelope=sink.envelope, timeout=timeout)
            return _spooled(Outlets(jsonl), settings)
        case MemorySinkSettings():
            return _spooled(Outlets(MemorySink()), settings)
        case KafkaSinkSettings():
            kafka = {
                GUARANTEED: _kafka(sink, sink.guaranteed, GUARANTEED, timeout, metrics),
                HASTY: _kafka(sink, sink.hasty, HASTY, timeout, metrics),
            }
            return _spooled(Outlets(kafka[GUARANTEED], kafka[HASTY], kafka), settings)


def target_of(settings: Settings) -> str:
    """Say for people where events go."""
    return open_outlets(settings, Metrics()).sink.target


def security_of(settings: KafkaSinkSettings) -> Security:
    """Return how the brokers are spoken to."""
    tls, sasl = settings.tls, settings.sasl
    return Security(
        protocol=settings.security_protocol,
        ca_file=tls.ca_file,
        certificate_file=tls.certificate_file,
        key_file=tls.key_file,
        key_password=tls.key_password,
        check_hostname=tls.check_hostname,
        mechanism=sasl.mechanism,
        username=sasl.username,
        password=sasl.password,
    )


def _kafka(
    settings: KafkaSinkSettings,
    producer: ProducerSettings,
    lane: str,
    timeout: float,
    metrics: Metrics,
) -> KafkaSink:
    return KafkaSink(
        settings.bootstrap_servers,
        client_id=settings.client_id if lane == GUARANTEED else f"{settings.client_id}-{lane}",
        security=security_of(settings),
        acks=producer.acks,
        idempotence=producer.idempotence,
        compression=producer.compression,
        linger=producer.linger,
        batch_bytes=producer.batch_size,
        max_pending_bytes=producer.max_pending_size,
        timeout=timeout,
        request_timeout=min(settings.request_timeout, timeout),
        silence=settings.silence,
        create_topics=settings.create_topics,
        watch=metrics.kafka_watch(lane),
    )


def _spooled(outlets: Outlets, settings: Settings) -> Outlets:
    spooling = settings.spool
    if spooling.folder is None:
        return outlets
    if not isinstance(settings.sink, KafkaSinkSettings):
        raise ConfigError(
            f"spool.folder is set, but the sink is {settings.sink.type}, which is no more distant "
            "than a spool. Leave spool.folder out, or let sink.type be kafka."
        )
    spool = Spool(
        spooling.folder,
        destination=f"{settings.service_name} kafka",
        max_bytes=spooling.max_size,
        max_age=spooling.max_age,
        min_free=spooling.min_free,
    )
    outlets.spool = spool
    outlets.sink = SpoolSink(outlets.sink, spool)
    if outlets.hasty is not None:
        outlets.hasty = SpoolSink(outlets.hasty, spool, drains=False)
    return outlets

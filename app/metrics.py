"""Every metric: its name, labels and when it counts. Labels come from closed sets only.

With several workers each process keeps its numbers in a shared folder, named by
`PROMETHEUS_MULTIPROC_DIR` before this module is imported, and any of them answers for all.
"""

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from app.core.events import Context, Outcome

MULTIPROC_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
OTHER = "other"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
_SIZES = tuple(4.0**power for power in range(4, 13))  # 256 bytes to 16 MiB


class SpoolFigures(Protocol):
    """How a spool stands."""

    @property
    def records(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def oldest_age_seconds(self) -> float: ...
    @property
    def dropped(self) -> Mapping[str, int]: ...
    @property
    def adopted(self) -> int: ...
    @property
    def spooled_total(self) -> int: ...
    @property
    def drained_total(self) -> int: ...


class Metrics:
    """Counts what happens. `max_streams` bounds the label `stream`; the rest is `other`."""

    def __init__(self, *, max_streams: int = 2_000) -> None:
        self._max_streams = max_streams
        self.pending_bytes: Callable[[], int] = lambda: 0
        """Says how many bytes of bodies are in work now."""
        self.queue_time: Callable[[], float] = lambda: 0.0
        """Says how many seconds requests wait for their turn."""
        self.turned_away: Callable[[], int] = lambda: 0
        """Says how many requests were turned away unread so far."""
        self._told_turned_away = 0
        self._streams: set[str] = set()
        self._tally: dict[tuple[str, str | None, str, str, str], int] = {}
        self._durations: dict[tuple[str | int, ...], _Durations] = {}
        self._children: dict[tuple[int, tuple[str, ...]], Any] = {}
        self.registry = CollectorRegistry()
        self.events = Counter(
            "sluiceway_events",
            "Events by how they ended, counted once that is known.",
            ("source", "stream", "status", "reason"),
            registry=self.registry,
        )
        self.error_events = Counter(
            "sluiceway_error_events",
            "Error events that were made, by what became of them.",
            ("status",),
            registry=self.registry,
        )
        self.requests = _Histogram(
            "sluiceway_http_request_seconds",
            "Time from a request's head to its answer.",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.produce = _Histogram(
            "sluiceway_produce_seconds",
            "Time that the sink took for the events of one request.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pending = Gauge(
            "sluiceway_pending_body_bytes",
            "Bytes of request bodies in work.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.queue = Gauge(
            "sluiceway_queue_seconds",
            "Seconds that requests wait for their turn.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.shed = Counter(
            "sluiceway_requests_turned_away_total",
            "Requests answered 503 unread, because of those before them.",
            registry=self.registry,
        )
        self.schemas = Gauge(
            "sluiceway_schemas_cached",
            "Compiled schemas in memory.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.schemas_refused = Gauge(
            "sluiceway_schemas_refused",
            "Schemas asked for in the last ten minutes that are there and cannot be used.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.streams = Gauge(
            "sluiceway_streams_configured",
            "Streams in the configuration in force.",
            registry=self.registry,
            multiprocess_mode="livemin",
        )
        self.streams_age = Gauge(
            "sluiceway_stream_configuration_age_seconds",
            "Seconds since the stream configuration in force was read; +Inf if none was ever.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.ready = Gauge(
            "sluiceway_ready",
            "Workers that are ready: 1 each.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

        self.receipts = Counter(
            "sluiceway_receipts",
            "Events by what their senders were told, in the words of docs/http-api.md.",
            ("receipt",),
            registry=self.registry,
        )
        self.jwks_fetches = Counter(
            "sluiceway_jwks_fetches",
            "Fetches of the keys that tokens are proven with: good or failed.",
            ("status",),
            registry=self.registry,
        )
        self.jwks_age = Gauge(
            "sluiceway_jwks_age_seconds",
            "Seconds since the keys in force for tokens were fetched; +Inf if none ever were.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._add_kafka()
        self._add_spool()

    def _add_kafka(self) -> None:
        self.kafka_requests = Histogram(
            "sluiceway_kafka_request_seconds",
            "Time that a broker took to acknowledge a produce request.",
            ("lane",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.kafka_request_records = Histogram(
            "sluiceway_kafka_request_records",
            "Records in a produce request.",
            ("lane",),
            buckets=_COUNTS,
            registry=self.registry,
        )
        self.kafka_request_bytes = Histogram(
            "sluiceway_kafka_request_bytes",
            "Bytes in a produce request, compressed.",
            ("lane",),
            buckets=_SIZES,
            registry=self.registry,
        )
        self.kafka_batches = Counter(
            "sluiceway_kafka_batches",
            "Record batches that brokers answered for.",
            ("lane",),
            registry=self.registry,
        )
        self.kafka_retries = Counter(
            "sluiceway_kafka_retries",
            "Record batches that had to be sent again, by Kafka's word for why.",
            ("lane", "reason"),
            registry=self.registry,
        )
        self.kafka_generations = Counter(
            "sluiceway_kafka_generations_ended",
            "Producers that were replaced: outage if no broker answered, failure if they died.",
            ("lane", "reason"),
            registry=self.registry,
        )
        self.kafka_up = self._gauge("sluiceway_kafka_up", "Producers that reach Kafka.", "lane")
        self.kafka_waiting = self._gauge(
            "sluiceway_kafka_waiting_records", "Records that wait for their answer.", "lane"
        )
        self.kafka_waiting_bytes = self._gauge(
            "sluiceway_kafka_waiting_bytes", "Bytes of the records that wait.", "lane"
        )

    def _add_spool(self) -> None:
        self.spool_records = self._gauge("sluiceway_spool_records", "Records in the spool.")
        self.spool_bytes = self._gauge("sluiceway_spool_bytes", "Bytes in the spool.")
        self.spool_age = self._gauge(
            "sluiceway_spool_oldest_seconds",
            "Age of the oldest record in the spool.",
            mode="livemax",
        )
        self.spool_spooled = self._gauge(
            "sluiceway_spool_spooled_records", "Records spooled by the workers that run."
        )
        self.spool_drained = self._gauge(
            "sluiceway_spool_drained_records", "Spooled records that were produced by them."
        )
        self.spool_adopted = self._gauge(
            "sluiceway_spool_adopted_files", "Spool files of dead workers that they took over."
        )
        self.spool_dropped = self._gauge(
            "sluiceway_spool_dropped_records",
            "Spooled records that cannot be produced: refused by Kafka, or corrupt on the disk.",
            "reason",
        )

    def _gauge(self, name: str, text: str, *labels: str, mode: Any = "livesum") -> Gauge:
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)

    def count_jwks_fetch(self, good: bool) -> None:
        """Count a fetch of the keys for tokens."""
        self.jwks_fetches.labels("good" if good else "failed").inc()

    def kafka_watch(self, lane: str) -> "KafkaWatch":
        """Return what a Kafka sink tells its doings, for one lane: guaranteed or hasty."""
        return KafkaWatch(self, lane)

    def observe_spool(self, state: SpoolFigures) -> None:
        """Show how the spool stands."""
        self.spool_records.set(state.records)
        self.spool_bytes.set(state.bytes)
        self.spool_age.set(state.oldest_age_seconds)
        self.spool_spooled.set(state.spooled_total)
        self.spool_drained.set(state.drained_total)
        self.spool_adopted.set(state.adopted)
        for reason, count in state.dropped.items():
            self.spool_dropped.labels(reason).set(count)

    def observe(self, outcomes: Sequence[Outcome], context: Context) -> None:
        """Count the outcomes of one request; series follow when they are read, or `flush`ed."""
        source, hasty = context.source, context.hasty
        tally = self._tally
        for outcome in outcomes:
            delivery = outcome.delivery
            if delivery is not None:
                told: str = "none" if hasty else delivery.durability
                ending = source, outcome.stream, "success", "accepted", told
            else:
                told = "none" if hasty else outcome.receipt
                ending = source, outcome.stream, outcome.status, outcome.reason, told
            tally[ending] = tally.get(ending, 0) + 1  # a Counter takes half as long again

    def flush(self) -> None:
        """Bring the series up to date with what was observed."""
        tally, self._tally = self._tally, {}
        for (source, stream, status, reason, told), count in tally.items():
            label = self._stream_label(stream, stored=status == "success")
            self._child(self.events, source, label, status, reason).inc(count)
            self._child(self.receipts, told).inc(count)
        self.queue.set(self.queue_time())
        turned_away = self.turned_away()
        self.shed.inc(turned_away - self._told_turned_away)
        self._told_turned_away = turned_away
        durations, self._durations = self._durations, {}
        for labels, observed in durations.items():
            series = self._child(self.requests, *map(str, labels)) if labels else self.produce
            series.add(observed)

    def _child(self, metric: Any, *labels: str) -> Any:
        """Return a metric's series; to look it up by its labels takes as long as to count."""
        key = (id(metric), labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child

    def count_error_events(self, status: str, count: int) -> None:
        """Count error events: `produced`, `failed` in the sink, or `refused` by the pipeline."""
        self.error_events.labels(status).inc(count)

    def observe_request(self, route: str, method: str, status: int, started: float) -> None:
        """Count a request; `started` is its `time.perf_counter()`."""
        self._observe_duration((route, method, status), time.perf_counter() - started)

    def observe_produce(self, seconds: float) -> None:
        """Count the time that a sink took for the events of one request."""
        self._observe_duration((), seconds)

    def _observe_duration(self, labels: tuple[str | int, ...], seconds: float) -> None:
        observed = self._durations.get(labels)
        if observed is None:
            observed = self._durations[labels] = _Durations()
        observed.counts[bisect_left(_SECONDS, seconds)] += 1
        observed.total += seconds

    def rendered(self) -> bytes:
        """Return all metrics in Prometheus' text format, of all workers if there are several."""
        self.flush()
        if MULTIPROC_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _stream_label(self, stream: str | None, *, stored: bool) -> str:
        # Only a stream that took an event names a series: what strangers make up does not.
        if stream is None:
            return OTHER
        if stream in self._streams:
            return stream
        if stored and len(self._streams) < self._max_streams:
            self._streams.add(stream)
            return stream
        return OTHER


class _Durations:
    """Durations that were observed since the series were brought up to date."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_SECONDS) + 1)
        self.total = 0.0


class _Histogram(Histogram):
    """A histogram of durations that is told of many at once."""

    def add(self, observed: _Durations) -> None:
        """Add what was observed."""
        for bucket, count in zip(self._buckets, observed.counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(observed.total)


class KafkaWatch:
    """Counts what a Kafka sink does."""

    def __init__(self, metrics: Metrics, lane: str) -> None:
        self._seconds = metrics.kafka_requests.labels(lane)
        self._records = metrics.kafka_request_records.labels(lane)
        self._bytes = metrics.kafka_request_bytes.labels(lane)
        self._batches = metrics.kafka_batches.labels(lane)
        self._retries = metrics.kafka_retries
        self._generations = metrics.kafka_generations
        self._lane = lane

    def answered(self, seconds: float, batches: int, records: int, size: int) -> None:
        """Count an acknowledged request."""
        self._seconds.observe(seconds)
        self._records.observe(records)
        self._bytes.observe(size)
        self._batches.inc(batches)

    def retried(self, reason: str) -> None:
        """Count a batch that is sent again."""
        self._retries.labels(self._lane, reason).inc()

    def generation(self, reason: str) -> None:
        """Count a producer that was replaced."""
        self._generations.labels(self._lane, reason).inc()

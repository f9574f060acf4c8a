"""Every metric: its name, labels and when it counts. Labels come from closed sets only.

With several workers each process keeps its numbers in a shared folder, named by
`PROMETHEUS_MULTIPROC_DIR` before this module is imported, and any of them answers for all.
"""

import os
import time
from collections import Counter as Tally
from collections.abc import Iterable

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


class Metrics:
    """Counts what happens. `max_streams` bounds the label `stream`; the rest is `other`."""

    def __init__(self, *, max_streams: int = 2_000) -> None:
        self._max_streams = max_streams
        self._streams: set[str] = set()
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
        self.requests = Histogram(
            "sluiceway_http_request_seconds",
            "Time from a request's head to its answer.",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.produce = Histogram(
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
        self.schemas = Gauge(
            "sluiceway_schemas_cached",
            "Compiled schemas in memory.",
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
            "Seconds since the stream configuration in force was read.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.ready = Gauge(
            "sluiceway_ready",
            "Workers that are ready: 1 each.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def observe(self, outcomes: Iterable[Outcome], context: Context) -> None:
        """Count the outcomes of one request."""
        tally = Tally(
            (self._stream_label(outcome), outcome.status, outcome.reason) for outcome in outcomes
        )
        for (stream, status, reason), count in tally.items():
            self.events.labels(context.source, stream, status, reason).inc(count)

    def count_error_events(self, status: str, count: int) -> None:
        """Count error events: `produced`, `failed` in the sink, or `refused` by the pipeline."""
        self.error_events.labels(status).inc(count)

    def observe_request(self, route: str, method: str, status: int, started: float) -> None:
        """Count a request; `started` is its `time.perf_counter()`."""
        elapsed = time.perf_counter() - started
        self.requests.labels(route, method, str(status)).observe(elapsed)

    def rendered(self) -> bytes:
        """Return all metrics in Prometheus' text format, of all workers if there are several."""
        if MULTIPROC_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _stream_label(self, outcome: Outcome) -> str:
        # Only a stream that took an event names a series: what strangers make up does not.
        stream = outcome.stream
        if stream is None:
            return OTHER
        if stream in self._streams:
            return stream
        if outcome.delivery is not None and len(self._streams) < self._max_streams:
            self._streams.add(stream)
            return stream
        return OTHER

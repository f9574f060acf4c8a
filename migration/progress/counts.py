"""The service's own counts of stored events by stream and wire, and how they went over time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.core.errors import ConfigError

LEGACY = frozenset(("beacon", "consume"))
"""Sources that bring old events: browsers, and old log lines from a topic."""

Counts = Mapping[str, Mapping[str, float]]
"""stream -> source -> events that were stored."""

_METRIC = "sluiceway_events_total"
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was counted at a time, and how many schemas were in each state then."""

    at: datetime
    counts: Counts
    states: Mapping[str, int]


def counts_of(source: str) -> Counts:
    """Read a service's metrics, from its URL or a file; raises ConfigError."""
    try:
        if source.startswith(("http://", "https://")):
            url = source if source.rstrip("/").endswith("/metrics") else f"{source}/metrics"
            answer = httpx.get(url, timeout=_TIMEOUT)
            answer.raise_for_status()
            text = answer.text
        else:
            text = Path(source).read_text()
    except (OSError, UnicodeDecodeError, httpx.HTTPError) as error:
        raise ConfigError(f"--service {source}: {error}") from error
    return parsed_counts(text)


def parsed_counts(text: str) -> Counts:
    """Return the counts in Prometheus' text format; raises ConfigError."""
    counts: dict[str, dict[str, float]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _METRIC and sample.labels.get("status") == "success":
                    of_stream = counts.setdefault(sample.labels["stream"], {})
                    source = sample.labels["source"]
                    of_stream[source] = of_stream.get(source, 0) + sample.value
    except (ValueError, KeyError) as error:
        raise ConfigError(f"these are no metrics of Sluiceway: {error}") from error
    return counts


def load_history(path: Path) -> list[Snapshot]:
    """Read snapshots, the oldest first; a file that is not there has none. Raises ConfigError."""
    if not path.is_file():
        return []
    snapshots = []
    try:
        for line in path.read_text().splitlines():
            told = json.loads(line)
            at = datetime.fromisoformat(told["at"])
            snapshots.append(Snapshot(at, told["counts"], told["states"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no history of sluiceway migrate status: {error}") from error
    return sorted(snapshots, key=lambda snapshot: snapshot.at)


def append(path: Path, snapshot: Snapshot) -> None:
    """Add a snapshot to a history."""
    told: dict[str, Any] = {
        "at": snapshot.at.astimezone(UTC).isoformat(timespec="seconds"),
        "counts": snapshot.counts,
        "states": snapshot.states,
    }
    with path.open("a") as file:
        file.write(json.dumps(told, sort_keys=True) + "\n")


def stored(counts: Counts, stream: str, *, legacy: bool) -> int:
    """Return how many events of a stream came by old wires, or by the modern one."""
    of_stream = counts.get(stream, {})
    return int(sum(n for source, n in of_stream.items() if (source in LEGACY) == legacy))


def silent_days(history: Sequence[Snapshot], stream: str) -> float | None:
    """Return for how many days no old event came, as far as is known; None if that is unknown.

    A count that fell is that of a service which began anew.
    """
    if not history:
        return None
    since = history[0].at
    for before, after in pairwise(history):
        old = stored(before.counts, stream, legacy=True)
        new = stored(after.counts, stream, legacy=True)
        if new > old or 0 < new < old:
            since = after.at
    return (history[-1].at - since).total_seconds() / 86_400

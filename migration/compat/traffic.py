"""Real events under both schemas: how many are valid under both, neither, or one only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.core.json import JsonError, loads
from migration.compat.sides import Fault, Side

Group = Literal["both", "neither", "old only", "new only"]
MAX_SAMPLES = 50
GROUPS: tuple[Group, ...] = ("both", "old only", "new only", "neither")


@dataclass(frozen=True, slots=True)
class Sample:
    """A line whose event is valid under one schema only, and what the other says of it."""

    line: int
    event: dict[str, Any]
    fault: Fault


@dataclass(slots=True)
class Traffic:
    """How the events of a file were judged.

    `unreadable` counts lines that hold no JSON object. `samples` are the first events valid under
    one schema only, one for each rule and place, and how many there were of each.
    """

    counts: dict[Group, int] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0))
    unreadable: int = 0
    samples: dict[tuple[Group, str, str], tuple[Sample, int]] = field(default_factory=dict)


def judged(old: Side, new: Side, events: Iterable[tuple[int, Any]]) -> Traffic:
    """Judge numbered events by both schemas; what is no object counts as unreadable."""
    traffic = Traffic()
    for line, event in events:
        if not isinstance(event, dict):
            traffic.unreadable += 1
            continue
        before, after = old.faults(event), new.faults(event)
        group: Group = "neither" if before and after else "both"
        if bool(before) != bool(after):
            group = "new only" if before else "old only"
            _keep(traffic, group, Sample(line, event, (before or after)[0]))
        traffic.counts[group] += 1
    return traffic


def _keep(traffic: Traffic, group: Group, sample: Sample) -> None:
    key = (group, sample.fault.pointer, sample.fault.keyword)
    if key in traffic.samples or len(traffic.samples) < MAX_SAMPLES:
        first, count = traffic.samples.get(key, (sample, 0))
        traffic.samples[key] = (first, count + 1)


def read_events(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the number and the object of each line that is not blank; raises OSError."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _event_in(line)


def _event_in(line: bytes) -> Any:
    try:
        return loads(line)
    except JsonError:
        return None

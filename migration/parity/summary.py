"""What was found, as it is added up: line by line in a portion, portion by portion in a report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.core.json import problem_of, text_of
from migration.parity.causes import Cause, class_of
from migration.parity.comparing import Difference

Verdict = Literal["both_accept", "both_refuse", "only_old", "only_new", "undecodable"]
VERDICTS: tuple[Verdict, ...] = (
    "both_accept",
    "only_old",
    "only_new",
    "both_refuse",
    "undecodable",
)

UNKNOWN = "(unknown)"
MAX_CLUSTERS = 200
MAX_TEXT = 2_000
MAX_VALUE = 300
MAX_STRANGERS = 100
"""Names that no schema has; anybody can send any number of them."""

REST = "(rest)"


@dataclass(frozen=True, slots=True)
class Example:
    """A line that shows something; `line` counts from 1 in its file, `source` is the file's."""

    source: int
    line: int
    text: str
    event: Any = None


@dataclass(slots=True)
class Cluster:
    """Lines that ended alike for the same reason; `causes` are of the first of them."""

    verdict: Verdict
    kind: str
    old: Sequence[Cause]
    new: Sequence[Cause]
    example: Example
    count: int = 0


@dataclass(slots=True)
class Spread:
    """Events that both took and that differ at one place."""

    difference: Difference
    example: Example
    count: int = 0


Key = tuple[str, ...]


@dataclass(slots=True)
class OfSchema:
    """What was found of one old schema. `seen` counts the places that events had."""

    matrix: Counter[Verdict] = field(default_factory=Counter)
    clusters: dict[Key, Cluster] = field(default_factory=dict)
    spreads: dict[Key, Spread] = field(default_factory=dict)
    seen: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    uris: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    stranger: bool = False

    def refused(
        self, verdict: Verdict, old: Sequence[Cause], new: Sequence[Cause], example: Example
    ) -> None:
        """Add a line that not both took."""
        decisive = {"only_old": new, "only_new": old}.get(verdict, [])
        kind = class_of(decisive) if decisive else ""
        key: Key = (verdict, kind, *_key_of(old), "/", *_key_of(new))
        if key not in self.clusters and len(self.clusters) >= MAX_CLUSTERS:
            key = (verdict, kind, REST)
        cluster = self.clusters.get(key)
        if cluster is None:
            cluster = self.clusters[key] = Cluster(verdict, kind, old, new, example)
        cluster.count += 1

    def differ(
        self, found: Sequence[Difference], pointers: Sequence[str], example: Example
    ) -> None:
        """Add an event that both took; `pointers` are where it differs, in general."""
        self.differing += bool(found)
        for key, difference in {
            (difference.kind, pointer): difference
            for difference, pointer in zip(found, pointers, strict=True)
        }.items():
            if key not in self.spreads and len(self.spreads) >= MAX_CLUSTERS:
                continue
            spread = self.spreads.get(key)
            if spread is None:
                shown = difference._replace(old=_shown(difference.old), new=_shown(difference.new))
                spread = self.spreads[key] = Spread(shown, example)
            spread.count += 1

    def add(self, other: "OfSchema") -> None:
        """Add what a later portion found."""
        for mine, theirs in (
            (self.matrix, other.matrix),
            (self.seen, other.seen),
            (self.streams, other.streams),
            (self.uris, other.uris),
        ):
            mine.update(theirs)  # type: ignore[arg-type]  # each pair is of one type
        self.differing += other.differing
        for whole_key, cluster in other.clusters.items():
            key = whole_key
            if key not in self.clusters and len(self.clusters) >= MAX_CLUSTERS:
                key = (cluster.verdict, cluster.kind, REST)
            if key in self.clusters:
                self.clusters[key].count += cluster.count
            else:
                self.clusters[key] = cluster
        for key, spread in other.spreads.items():
            if key in self.spreads:
                self.spreads[key].count += spread.count
            elif len(self.spreads) < MAX_CLUSTERS:
                self.spreads[key] = spread

    def shift(self, lines: int) -> None:
        """Count the lines of examples from so many further up."""
        for cluster in self.clusters.values():
            cluster.example = replace(cluster.example, line=cluster.example.line + lines)
        for spread in self.spreads.values():
            spread.example = replace(spread.example, line=spread.example.line + lines)


@dataclass(slots=True)
class Summary:
    """What was found in a portion, or in several on end. `lines` are those of the last file."""

    source: int = 0
    lines: int = 0
    total: int = 0
    events: int = 0
    schemas: dict[str, OfSchema] = field(default_factory=dict)

    def of(self, name: str, *, stranger: bool = False) -> OfSchema:
        """Return what was found of one old schema; a `stranger` is a name that no schema has."""
        found = self.schemas.get(name)
        if found is None:
            if stranger and self._strangers() >= MAX_STRANGERS:
                return self.of(UNKNOWN)
            found = self.schemas[name] = OfSchema(stranger=stranger)
        found.stranger = found.stranger and stranger
        return found

    def add(self, other: "Summary") -> None:
        """Add what the next portion found, which must be the next in order."""
        before = self.lines if other.source == self.source else 0
        for name, found in other.schemas.items():
            found.shift(before)
            self.of(name, stranger=found.stranger).add(found)
        self.source = other.source
        self.lines = before + other.lines
        self.total += other.total
        self.events += other.events

    def _strangers(self) -> int:
        return sum(found.stranger for found in self.schemas.values())


def _shown(value: Any) -> Any:
    """Return a value as it is kept: itself, or the beginning of its text if it is large."""
    text = text_of(value, MAX_VALUE)
    return value if len(text) < MAX_VALUE and problem_of(value) is None else text


def _key_of(causes: Sequence[Cause]) -> tuple[str, ...]:
    return tuple(f"{cause.rule} {cause.pointer}" for cause in causes[:3])

"""The states of a schema, what shows that it reached them, and what keeps it from the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STATES = (
    "discovered",
    "converted",
    "linted",
    "mapped",
    "shadowed",
    "parity proven",
    "cut over",
    "legacy silent",
    "retired",
)
CUT_OVER = STATES.index("cut over")


@dataclass(frozen=True, slots=True)
class Goals:
    """What has to be shown: events that were replayed, classes of differences that are accepted."""

    events: int
    days: int
    allowed: frozenset[str] = frozenset()


@dataclass(slots=True)
class Evidence:
    """What is known of one schema. None is for what nobody looked at or what is not there."""

    name: str
    title: str
    revisions: Sequence[int] = ()
    current: str | None = None
    released: Sequence[str] = ()
    problems: Sequence[str] = ()
    target: str | None = None
    stream: str | None = None
    stream_title: str | None = None
    report: Mapping[str, Any] | None = None
    legacy_events: int | None = None
    modern_events: int | None = None
    silent_days: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a schema stands: `shown` says by what, `blocks` what keeps it there, `next` what to do.

    `next` is "" where nothing is left to do, or only time will tell.
    """

    name: str
    state: str
    shown: Sequence[str]
    blocks: str
    next: str

    @property
    def reached(self) -> int:
        return STATES.index(self.state)


@dataclass(slots=True)
class _Walk:
    """The way from state to state, as far as the evidence goes."""

    state: str = STATES[0]
    shown: list[str] = field(default_factory=list)

    def reach(self, state: str, shown: str) -> None:
        self.state = state
        self.shown.append(shown)


def standing_of(evidence: Evidence, goals: Goals) -> Standing:
    """Return the last state that a schema reached on its way, each before it reached, too."""
    walk = _Walk()
    revisions = ", ".join(map(str, evidence.revisions))
    walk.shown.append(f"revision {revisions} on the wiki" if revisions else "known by its events")
    if _is_retired(evidence):
        walk.reach("retired", "released, and neither mapped nor configured any more")
        return Standing(evidence.name, walk.state, walk.shown, "", "")
    blocks, command = _walked(walk, evidence, goals)
    return Standing(evidence.name, walk.state, walk.shown, blocks, command)


def _walked(walk: _Walk, evidence: Evidence, goals: Goals) -> tuple[str, str]:
    """Walk; return what blocks the next step, and the command for it."""
    name = evidence.name
    if evidence.current is None:
        source = f"{name}-{evidence.revisions[-1]}.json" if evidence.revisions else "SCHEMA.json"
        return (
            "it is not in the repository",
            f"sluiceway migrate convert {source} --repository DIR",
        )
    walk.reach("converted", evidence.current)
    if evidence.problems:
        count = len(evidence.problems)
        return (
            f"lint finds {count}: {evidence.problems[0]}",
            f"sluiceway migrate lint DIR {evidence.title}",
        )
    if not evidence.released:
        return "no version is released", "sluiceway migrate materialize DIR"
    walk.reach("linted", f"lint finds nothing; released: {', '.join(evidence.released)}")
    if evidence.target is None:
        return (
            "the mapping does not name it",
            f"sluiceway migrate convert {name}-*.json --repository DIR --mapping FILE",
        )
    if evidence.stream_title != evidence.title:
        return (
            f"stream {evidence.stream} does not take {evidence.title}",
            f"sluiceway migrate convert {name}-*.json --repository DIR --streams FILE",
        )
    walk.reach("mapped", f"to {evidence.target} on {evidence.stream}")
    verify = "sluiceway migrate verify TRAFFIC --config FILE --old-schemas DIR --out report.json"
    if evidence.report is None:
        return "no recorded event of it was replayed", verify
    return _walked_with_report(walk, evidence, goals, verify)


def _walked_with_report(
    walk: _Walk, evidence: Evidence, goals: Goals, verify: str
) -> tuple[str, str]:
    report = evidence.report or {}
    matrix = report["matrix"]
    events = sum(matrix.values()) - matrix["undecodable"]
    walk.reach("shadowed", f"{events:,} recorded events were replayed")
    unallowed = {
        kind: count
        for kind, count in report["classes"].items()
        if not set(kind.split("+")) <= goals.allowed
    }
    if unallowed:
        told = ", ".join(f"{kind} {count:,}" for kind, count in unallowed.items())
        return f"verdicts differ: {told}", f"{verify} --allow CLASS, or mend the schema"
    if report["differing"]:
        first = report["differences"][0]
        where = f"{first['kind']} at {first['pointer']}"
        return f"{report['differing']:,} events are stored otherwise: {where}", verify
    if events < goals.events:
        return f"{events:,} events were replayed, of {goals.events:,} that are wanted", verify
    walk.reach("parity proven", f"over {events:,} events")
    return _walked_with_counts(walk, evidence, goals)


def _walked_with_counts(walk: _Walk, evidence: Evidence, goals: Goals) -> tuple[str, str]:
    status = "sluiceway migrate status --service URL --history FILE"
    if evidence.modern_events is None:
        return "nobody asked the service for its counts", status
    if not evidence.modern_events:
        return "no client sends it by POST /v1/events yet", ""
    walk.reach("cut over", f"{evidence.modern_events:,} events came by POST /v1/events")
    if evidence.silent_days is None:
        return "there is no history of counts yet", status
    if evidence.silent_days < goals.days:
        days = evidence.silent_days
        return f"old clients were silent for {days:.1f} days, of {goals.days} that are wanted", ""
    walk.reach("legacy silent", f"no old event for {evidence.silent_days:.0f} days")
    return "the mapping still names it", "remove it from the mapping and from the old wiki"


def _is_retired(evidence: Evidence) -> bool:
    gone = evidence.target is None and evidence.stream_title is None
    return bool(evidence.released) and gone and bool(evidence.modern_events)

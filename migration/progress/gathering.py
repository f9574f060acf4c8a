"""Evidence: what the old schemas, the repository, the mapping, the streams and reports say."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.errors import EventError
from app.service import Service
from legacy.errors import LegacyError
from migration.layout import LayoutError, place_of, released_versions
from migration.parity.report import Report
from migration.parity.summary import UNKNOWN
from migration.progress.counts import Counts, Snapshot, silent_days, stored
from migration.progress.states import Evidence

FIRST = "1.0.0"

Lint = Callable[[str], Sequence[str]]
"""The folder of a schema in the repository -> what lint finds there."""


def evidence_of(
    names: Iterable[str],
    revisions: Mapping[str, Sequence[int]],
    *,
    repository: Path,
    lint: Lint,
    service: Service,
    reports: Sequence[Report],
    counts: Counts | None,
    history: Sequence[Snapshot],
) -> list[Evidence]:
    """Return what is known of each schema, in the order of their names."""
    found = []
    for name in sorted(names, key=str.lower):
        try:
            place = place_of(name, FIRST)
        except LayoutError:
            continue  # a name that a stranger made up
        evidence = Evidence(name, place.title, sorted(revisions.get(name, ())))
        evidence.released = released_versions(repository, place)
        if (repository / place.current).is_file():
            evidence.current = str(place.current)
        elif evidence.released:
            evidence.current = f"{place.title}/{evidence.released[-1]}"
        if evidence.current:
            evidence.problems = lint(place.title)
        _look_at_service(evidence, service)
        evidence.report = _of_reports(name, reports)
        stream = evidence.stream or place.stream
        if counts is not None:
            evidence.legacy_events = stored(counts, stream, legacy=True)
            evidence.modern_events = stored(counts, stream, legacy=False)
        evidence.silent_days = silent_days(history, stream)
        found.append(evidence)
    return found


def names_in(reports: Sequence[Report]) -> set[str]:
    """Return the old schemas that reports know events of."""
    return {name for report in reports for name in report["schemas"]} - {UNKNOWN}


def _look_at_service(evidence: Evidence, service: Service) -> None:
    # A schema that is mapped for one revision only is asked for by that.
    for revision in (*reversed(evidence.revisions), None):
        try:
            target = service.legacy.target(evidence.name, revision)
        except LegacyError:
            continue
        evidence.target = target.schema_uri
        evidence.stream = target.stream
        break
    if evidence.stream is None:
        return
    try:
        evidence.stream_title = service.streams.get(evidence.stream).schema_title
    except EventError:
        return


def _of_reports(name: str, reports: Sequence[Report]) -> Mapping[str, Any] | None:
    """Return what reports say of a schema, added up."""
    found = [report["schemas"][name] for report in reports if name in report["schemas"]]
    if not found:
        return None
    matrix: dict[str, int] = defaultdict(int)
    classes: dict[str, int] = defaultdict(int)
    for each in found:
        for verdict, count in each["matrix"].items():
            matrix[verdict] += count
        for kind, count in each["classes"].items():
            classes[kind] += count
    return {
        "matrix": dict(matrix),
        "classes": dict(classes),
        "differing": sum(each["differing"] for each in found),
        "differences": [one for each in found for one in each["differences"]],
    }

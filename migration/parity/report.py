"""The report of a replay: a JSON document that is the same whenever the same traffic is judged."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app import __version__
from app.core.errors import ConfigError
from migration.parity.causes import OTHER, Cause
from migration.parity.coverage import places_of, shape_of
from migration.parity.summary import VERDICTS, Cluster, OfSchema, Spread, Summary

FORMAT = 1
KIND = "sluiceway-parity"
DIFFERING = ("only_old", "only_new")

Report = dict[str, Any]
"""See docs/migration.md, "The report"."""


def report_of(summary: Summary, sources: Sequence[Path], schemas: Mapping[Any, Any]) -> Report:
    """Return the report of all portions; `schemas` are the old ones, by (name, revision)."""
    names = [path.name for path in sources]
    shown = {
        name: _schema(name, found, names, schemas)
        for name, found in sorted(summary.schemas.items())
    }
    return {
        "kind": KIND,
        "format": FORMAT,
        "sluiceway": __version__,
        "sources": [{"name": path.name, "bytes": path.stat().st_size} for path in sources],
        "totals": {
            "lines": summary.total,
            "events": summary.events,
            "matrix": {
                verdict: sum(each["matrix"][verdict] for each in shown.values())
                for verdict in VERDICTS
            },
            "classes": _classes(shown.values()),
        },
        "schemas": shown,
    }


def text_of_report(report: Report) -> str:
    """Return a report as it is written: always the same text for the same report."""
    return json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load_report(path: Path) -> Report:
    """Read a report; raises ConfigError."""
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(report, dict) or report.get("kind") != KIND:
        raise ConfigError(f"{path} is no report of sluiceway migrate verify.")
    if report["format"] != FORMAT:
        raise ConfigError(f"{path} has format {report['format']}; this version reads {FORMAT}.")
    return report


def classes_of(report: Report) -> dict[str, int]:
    """Return how many events have each class of difference in verdict."""
    classes: dict[str, int] = report["totals"]["classes"]
    return classes


def _schema(
    name: str, found: OfSchema, sources: Sequence[str], schemas: Mapping[Any, Any]
) -> dict[str, Any]:
    clusters = sorted(found.clusters.values(), key=_rank)
    spreads = sorted(found.spreads.items(), key=lambda item: (-item[1].count, item[0]))
    return {
        "stream": _most(found.streams),
        "new_schemas": dict(sorted(found.uris.items())),
        "matrix": {verdict: found.matrix[verdict] for verdict in VERDICTS},
        "classes": _classes([{"clusters": [_cluster(each, sources) for each in clusters]}]),
        "clusters": [_cluster(each, sources) for each in clusters],
        "differing": found.differing,
        "differences": [_spread(key[1], key[0], each, sources) for key, each in spreads],
        "coverage": _coverage(name, found, schemas),
    }


def _rank(cluster: Cluster) -> tuple[Any, ...]:
    at = cluster.example
    return (VERDICTS.index(cluster.verdict), -cluster.count, at.source, at.line, cluster.kind)


def _cluster(cluster: Cluster, sources: Sequence[str]) -> dict[str, Any]:
    return {
        "verdict": cluster.verdict,
        "class": cluster.kind or OTHER,
        "count": cluster.count,
        "old": [_cause(each) for each in cluster.old],
        "new": [_cause(each) for each in cluster.new],
        "example": _example(cluster.example, sources),
    }


def _spread(pointer: str, kind: str, spread: Spread, sources: Sequence[str]) -> dict[str, Any]:
    difference = spread.difference
    return {
        "pointer": pointer,
        "kind": kind,
        "count": spread.count,
        "at": difference.pointer,
        "old": difference.old,
        "new": difference.new,
        "example": _example(spread.example, sources),
    }


def _example(example: Any, sources: Sequence[str]) -> dict[str, Any]:
    return {
        "source": sources[example.source],
        "line": example.line,
        "text": example.text,
        "event": example.event,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {"rule": cause.rule, "pointer": cause.pointer, "message": cause.message}


def _coverage(name: str, found: OfSchema, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    places: dict[tuple[str, str | None], None] = {}
    for (schema_name, _), schema in schemas.items():
        if schema_name == name:
            places |= dict.fromkeys(places_of(shape_of(schema)))
    properties = {pointer: 0 for pointer, value in sorted(places, key=str) if value is None}
    enums: dict[str, dict[str, int]] = {}
    for pointer, value in sorted(places, key=str):
        count = found.seen[pointer, value]
        if value is None:
            properties[pointer] = count
        else:
            enums.setdefault(pointer, {})[value] = count
    never = [pointer for pointer, count in properties.items() if not count]
    never += [
        f"{pointer} = {value}"
        for pointer, values in enums.items()
        for value, count in values.items()
        if not count
    ]
    return {"properties": properties, "enums": enums, "never": never}


def _classes(shown: Any) -> dict[str, int]:
    classes: dict[str, int] = {}
    for each in shown:
        for cluster in each["clusters"]:
            if cluster["verdict"] in DIFFERING:
                classes[cluster["class"]] = classes.get(cluster["class"], 0) + cluster["count"]
    return dict(sorted(classes.items()))


def _most(streams: Any) -> str | None:
    return min(streams, key=lambda name: (-streams[name], name)) if streams else None

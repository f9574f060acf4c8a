"""A comparison for people, as text, and for programs, as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from migration.compat.comparison import Comparison, Effect, Finding
from migration.compat.traffic import GROUPS, Traffic
from migration.compat.wording import (
    ROOT,
    VERDICTS,
    changed,
    for_consumers,
    for_producers,
    undeclared,
)

_DIRECTIONS = {
    "backward": "events that were valid stay valid",
    "forward": "events that are valid now were valid before",
}


def text_of(comparison: Comparison, traffic: Traffic | None = None) -> str:
    """Return a comparison as text."""
    return "\n".join([*_head(comparison), *_findings(comparison), *_traffic(traffic)])


def json_of(comparison: Comparison, traffic: Traffic | None = None) -> dict[str, Any]:
    """Return a comparison as a value of JSON."""
    made: dict[str, Any] = {"old": comparison.old.name, "new": comparison.new.name}
    for direction in _DIRECTIONS:
        made[direction] = {
            "verdict": comparison.verdict(direction),
            "verdict_of_declared": comparison.verdict(direction, declared=True),
        }
    made["differences"] = [_entry(finding) for finding in comparison.findings]
    if traffic is not None:
        made["against"] = {
            "events": {group.replace(" ", "_"): traffic.counts[group] for group in GROUPS},
            "unreadable": traffic.unreadable,
            "samples": [
                {
                    "valid": group.replace(" ", "_"),
                    "pointer": pointer,
                    "keyword": keyword,
                    "count": count,
                    "line": sample.line,
                    "message": sample.fault.message,
                    "event": sample.event,
                }
                for (group, pointer, keyword), (sample, count) in traffic.samples.items()
            ],
        }
    return made


def _entry(finding: Finding) -> dict[str, Any]:
    difference = finding.difference
    return {
        "pointer": difference.pointer,
        "keyword": difference.keyword,
        "old": difference.old,
        "new": difference.new,
        "change": changed(difference),
        "producers": for_producers(finding),
        "consumers": for_consumers(finding),
        "backward": _effect(finding.backward),
        "forward": _effect(finding.forward),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    made: dict[str, Any] = {
        "verdict": effect.verdict,
        "verdict_of_declared": effect.declared,
    }
    if effect.example is not None:
        fault = effect.example.fault
        made["example"] = {
            "event": effect.example.event,
            "pointer": fault.pointer,
            "keyword": fault.keyword,
            "message": fault.message,
        }
    return made


def _head(comparison: Comparison) -> Iterator[str]:
    yield f"old: {comparison.old.name}"
    yield f"new: {comparison.new.name}"
    yield ""
    for direction, meaning in _DIRECTIONS.items():
        verdict = comparison.verdict(direction)
        declared = comparison.verdict(direction, declared=True)
        line = f"{direction:<8} {VERDICTS[verdict]:<13} {meaning}"
        if declared != verdict:
            line += f" (of events with listed properties only: {VERDICTS[declared]})"
        yield line
    if not comparison.findings:
        yield ""
        yield "There are no differences that events could show."


def _findings(comparison: Comparison) -> Iterator[str]:
    for number, finding in enumerate(comparison.findings, 1):
        yield ""
        yield f"{number}. {finding.difference.pointer or ROOT}: {changed(finding.difference)}"
        for direction, effect, told, taker, refuser in (
            ("backward", finding.backward, for_producers(finding), "old", "new"),
            ("forward", finding.forward, for_consumers(finding), "new", "old"),
        ):
            mark = " (undeclared)" if undeclared(effect) else ""
            yield f"   {direction}: {VERDICTS[effect.verdict]}{mark}"
            yield f"      {told}"
            if effect.example is not None:
                yield f"      Valid under {taker}, invalid under {refuser}:"
                yield f"      {_line(effect.example.event)}"


def _traffic(traffic: Traffic | None) -> Iterator[str]:
    if traffic is None:
        return
    yield ""
    yield "Real events, valid under: " + ", ".join(
        f"{traffic.counts[group]:,} {group}" for group in GROUPS
    )
    if traffic.unreadable:
        lines = "line holds" if traffic.unreadable == 1 else "lines hold"
        yield f"   {traffic.unreadable:,} {lines} no JSON object."
    for (group, pointer, _), (sample, count) in traffic.samples.items():
        yield f"   {group}: {count:,} at {pointer or ROOT}: {sample.fault.message}"
        yield f"      line {sample.line:,}: {_line(sample.event)}"


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False)

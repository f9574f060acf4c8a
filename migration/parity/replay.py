"""Judging a portion of traffic: what any worker does, on this machine or on another."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.core.json import problem_of, text_of
from legacy.capsule import SCHEMA_NAME
from migration.parity.causes import general
from migration.parity.comparing import differences
from migration.parity.coverage import Shape, count, shape_of
from migration.parity.judges import Judged, Judges, Plan
from migration.parity.summary import MAX_TEXT, UNKNOWN, Example, Summary, Verdict
from migration.parity.traffic import Portion, RecordedLine, lines_in

BATCH = 500


class Replay:
    """Judges portions by a plan; remembers what was compiled for it."""

    def __init__(self, plan: Plan) -> None:
        """Open both judges; raises ConfigError."""
        self._judges = Judges(plan)
        self._names = {name for name, _ in self._judges.schemas}
        self._shapes: dict[tuple[str, int], Shape] = {}

    def close(self) -> None:
        """Close them."""
        self._judges.close()

    def judge(self, portion: Portion) -> Summary:
        """Return what was found in a portion: the same whenever and wherever it is judged."""
        summary = Summary(source=portion.source)
        lines = lines_in(portion)
        while batch := list(islice(lines, BATCH)):
            self._judge(batch, summary)
        return summary

    def _judge(self, batch: Sequence[RecordedLine], summary: Summary) -> None:
        summary.lines = batch[-1].number
        told = [line for line in batch if line.text is None or line.text.strip()]
        summary.total += len(told)
        read = [(line.number, line.text) for line in told if line.text is not None]
        for _ in range(len(told) - len(read)):
            summary.of(UNKNOWN).matrix["undecodable"] += 1
        for (number, _), each in zip(
            read, self._judges.judge([text for _, text in read]), strict=True
        ):
            for judged in each:
                summary.events += 1
                self._add(judged, number, summary)

    def _add(self, judged: Judged, number: int, summary: Summary) -> None:
        verdict = verdict_of(judged)
        name = judged.name
        if name is None or not SCHEMA_NAME.fullmatch(name):
            found = summary.of(UNKNOWN)
        else:
            known = name in self._names or judged.outcome.stream is not None
            found = summary.of(name, stranger=not known)
        found.matrix[verdict] += 1
        self._cover(judged, found.seen)
        text = judged.text[:MAX_TEXT].decode("utf-8", "replace")
        example = Example(summary.source, number, text, _event_of(judged))
        if verdict != "both_accept":
            found.refused(verdict, judged.old_causes, judged.new_causes, example)
            return
        assert judged.stored is not None
        assert judged.old.capsule is not None
        found.streams[judged.stored["meta"].get("stream", "")] += 1
        found.uris[judged.stored["$schema"]] += 1
        differing = differences(judged.old.capsule, judged.stored, from_line=judged.from_line)
        if differing:
            found.differ(differing, [general(each.pointer) for each in differing], example)

    def _cover(self, judged: Judged, seen: Any) -> None:
        parsed = judged.old.parsed
        if not isinstance(parsed, dict):
            return
        name, revision = parsed.get("schema"), parsed.get("revision")
        if not isinstance(name, str) or not isinstance(revision, int):
            return
        schema = self._judges.schemas.get((name, revision))
        if schema is None:
            return
        shape = self._shapes.get((name, revision))
        if shape is None:
            shape = self._shapes[name, revision] = shape_of(schema)
        count(shape, parsed.get("event"), seen)


def verdict_of(judged: Judged) -> Verdict:
    """Say how both verdicts go together."""
    old = judged.old.code is None
    new = judged.outcome.error is None
    if old and new:
        return "both_accept"
    if old or new:
        return "only_old" if old else "only_new"
    unread = judged.old.parsed is None and judged.outcome.event is None
    return "undecodable" if unread else "both_refuse"


def _event_of(judged: Judged) -> Any:
    """Return the event that is shown: as the old system read it, else as the service did."""
    if isinstance(judged.old.parsed, dict):
        event = judged.old.parsed.get("event")
    else:
        event = judged.outcome.event.body.get("event") if judged.outcome.event else None
    if event is None:
        return None
    shown = text_of(event, MAX_TEXT)
    return event if len(shown) < MAX_TEXT and problem_of(event) is None else shown

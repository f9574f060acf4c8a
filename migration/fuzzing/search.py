"""The search: many events through both judges, then the smallest event for each difference."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, find, given, seed, settings
from hypothesis.errors import NoSuchExample

from app.schemas.repository import Document
from migration.fuzzing.shrinking import shrunk
from migration.fuzzing.strategies import ABSENT, changes, events_of, full_event
from migration.parity.causes import Cause, class_of
from migration.parity.judges import Judged, Judges
from migration.parity.replay import verdict_of
from migration.parity.summary import Verdict

MAX_FINDINGS = 50
SHRINKS = 1_000
FULL = 50

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which verdicts differ, with the smallest capsule found that shows it."""

    name: str
    revision: int
    verdict: Verdict
    kind: str
    causes: Sequence[Cause]
    capsule: Any


class Search:
    """Looks for differences of one schema at a time. The same seed finds the same."""

    def __init__(self, judges: Judges, *, examples: int, start: int = 0) -> None:
        self._judges = judges
        self._examples = examples
        self._seed = start
        self.tried = 0

    def differences(self, name: str, revision: int) -> Iterator[Finding]:
        """Yield what differs for a schema, each shrunk to a minimal example."""
        schema = self._judges.schemas[name, revision]
        found: dict[Key, Any] = {}

        def look(event: Any) -> None:
            self.tried += 1
            for key in _keys(self._judged(name, revision, event)):
                if len(found) < MAX_FINDINGS:
                    found.setdefault(key, event)

        for event in self._swept(schema, name, revision):
            look(event)
        searched = _settings(self._examples)(given(events_of(schema))(look))
        seed(self._seed)(searched)()
        for key in sorted(found):
            event = self._smallest(found[key], name, revision, key)
            judged = self._judged(name, revision, event)
            verdict = verdict_of(judged)
            causes = judged.new_causes if verdict == "only_old" else judged.old_causes
            whole = _capsule(name, revision, event)
            yield Finding(name, revision, verdict, class_of(causes), causes, whole)

    def _swept(self, schema: Document, name: str, revision: int) -> Iterator[Any]:
        """Yield a valid event with every property, changed in every single place."""

        def accepted(event: Any) -> bool:
            return self._judged(name, revision, event).old.code is None

        try:
            full = find(full_event(schema), accepted, settings=_settings(FULL))
        except NoSuchExample:
            return
        yield from changes(full, schema)

    def _smallest(self, event: Any, name: str, revision: int, key: Key) -> Any:
        def shows(candidate: Any) -> bool:
            return key in _keys(self._judged(name, revision, candidate))

        return shrunk(event, shows, SHRINKS)

    def _judged(self, name: str, revision: int, event: Any) -> Judged:
        text = json.dumps(_capsule(name, revision, event)).encode()
        [[judged]] = self._judges.judge([text])
        return judged


def _capsule(name: str, revision: int, event: Any) -> dict[str, Any]:
    around = {"schema": name, "revision": revision, "wiki": "examplewiki"}
    return around if event is ABSENT else {**around, "event": event}


def _keys(judged: Judged) -> list[Key]:
    verdict = verdict_of(judged)
    if verdict not in {"only_old", "only_new"}:
        return []
    causes = judged.new_causes if verdict == "only_old" else judged.old_causes
    kind = class_of(causes)
    if "+" in kind:  # each of its parts is found alone, too
        return []
    first = causes[0]
    return [(verdict, kind, first.rule, first.pointer)]


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )

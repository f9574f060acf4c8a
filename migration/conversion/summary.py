"""What came of a conversion, for people and for programs."""

import json
from collections.abc import Iterable
from typing import Any

from migration.conversion.batch import Result
from migration.conversion.notes import CHANGES, RULES, Effect, Note

MAX_PLACES = 3

_WORDS: dict[Effect, str] = {
    "wider": "wider",
    "narrower": "narrower",
    "either": "different",
    "none": "the same",
}


def as_text(result: Result) -> str:
    """Return a result as lines: what it became, the files, the notes; changes of meaning first."""
    conversion = result.conversion
    if conversion is None:
        return f"{result.source} is not converted: {result.problem}"
    place, old = conversion.place, conversion.old
    revision = f", revision {old.revision}," if old.revision else ""
    lines = [f"{place.name}{revision} becomes {place.uri} on the stream {place.stream}"]
    lines += [f"  {change:<10} {path}" for path, change in result.changes]
    lines += [f"  {line}" for line in _notes(conversion.notes)]
    if result.problem:
        lines.append(f"  problem    {result.problem}")
    return "\n".join(lines)


def as_json(result: Result) -> str:
    """Return a result as one line of JSON."""
    told: dict[str, Any] = {"source": result.source, "problem": result.problem}
    conversion = result.conversion
    if conversion:
        told |= {
            "name": conversion.place.name,
            "revision": conversion.old.revision,
            "schema_uri": conversion.place.uri,
            "stream": conversion.place.stream,
            "files": {str(path): change for path, change in result.changes},
            "notes": [
                {
                    "rule": note.rule,
                    "effect": note.effect,
                    "pointer": note.pointer,
                    "text": note.text,
                }
                for note in conversion.notes
            ],
        }
    return json.dumps(told, ensure_ascii=False)


def _notes(notes: Iterable[Note]) -> Iterable[str]:
    """Yield a line for each rule, with the places where it was applied."""
    places: dict[tuple[Effect, str, str], list[str]] = {}
    for note in notes:
        places.setdefault((note.effect, note.rule, note.text), []).append(note.pointer)
    order = (*CHANGES, "none")
    rules = list(RULES)
    for (effect, _, text), pointers in sorted(
        places.items(), key=lambda item: (order.index(item[0][0]), rules.index(item[0][1]))
    ):
        named = [pointer for pointer in pointers if pointer]
        where = ", ".join(named[:MAX_PLACES])
        more = f" and {len(named) - MAX_PLACES} more" if len(named) > MAX_PLACES else ""
        at = f" (at {where}{more})" if named else ""
        yield f"{_WORDS[effect]:<10} {text}{at}"

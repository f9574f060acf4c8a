"""Notes: what a conversion did to a schema, and whether that changed which events are valid."""

from dataclasses import dataclass
from typing import Literal

Effect = Literal["wider", "narrower", "either", "none"]
"""Of the new schema against the old: it takes more, it takes less, both may be, the same."""

CHANGES: tuple[Effect, ...] = ("wider", "narrower", "either")

_OPPOSITE: dict[Effect, Effect] = {"wider": "narrower", "narrower": "wider"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a conversion does; `text` says what it means for events."""

    effect: Effect
    text: str


RULES = {
    "event_object": Rule(
        "narrower",
        "a capsule whose event was missing, or no object, was accepted; now event has to be "
        "an object",
    ),
    "open_event": Rule(
        "wider",
        "a property of the event that the schema does not name was refused and is accepted; "
        "--closed-event keeps refusing it",
    ),
    "whole_float": Rule(
        "wider",
        "a whole number that is written with a fraction (5.0) was refused and is accepted as an "
        "integer",
    ),
    "bounds": Rule(
        "narrower", "numbers outside of the numeric bounds were accepted and are refused"
    ),
    "pattern_length": Rule(
        "narrower", "longer texts than the maxLength that pattern needs were accepted"
    ),
    "name_length": Rule(
        "narrower", "longer names than the maxLength that patternProperties needs were accepted"
    ),
    "unique_items": Rule(
        "narrower", "longer arrays than the maxItems that uniqueItems needs were accepted"
    ),
    "pattern_dialect": Rule(
        "either",
        "the old regular expression was Python's: \\d, \\w and \\s took letters and digits of "
        "every script, and $ let a line break at the end through",
    ),
    "fraction": Rule(
        "either", "whether a number is a multiple of a fraction was decided by rounded division"
    ),
    "any": Rule("none", "any value is taken, as before; repositories want one type, so choose one"),
    "union": Rule(
        "none", "one of several types is taken, as before; repositories want one, so choose one"
    ),
    "format": Rule("none", "format is left out: the old system never looked at it"),
    "default": Rule(
        "none", "default is left out: the old system never filled it in, and this one would"
    ),
    "idle_required": Rule(
        "none", "required is left out: it means something only for a property of an object"
    ),
    "enum_words": Rule("none", "what desc_enum said stands at the end of the description now"),
    "title": Rule("none", "the title is left out: a repository's titles are paths"),
    "unbounded": Rule(
        "none", "no numeric bound is added where the schema's own lies beyond it; add one by hand"
    ),
    "unknown_word": Rule("none", "a word that draft 3 does not know is left out: it had no effect"),
}


@dataclass(frozen=True, slots=True)
class Note:
    """One rule that was applied at one place of the old schema (a JSON pointer).

    `detail` is the word or value that it was about, where the rule alone does not say.
    """

    rule: str
    pointer: str
    effect: Effect
    detail: str = ""

    @property
    def text(self) -> str:
        """The note as a sentence without its full stop."""
        text = RULES[self.rule].text
        return f"{self.detail}: {text}" if self.detail else text


def note_of(rule: str, pointer: str, *, detail: str = "", negated: bool = False) -> Note:
    """Return a note; what a schema refuses more inside of a `not`, it takes more outside."""
    effect = RULES[rule].effect
    return Note(rule, pointer, _OPPOSITE.get(effect, effect) if negated else effect, detail)

"""Producers of a stream: who may write to it, and with which values in which fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from app.core.errors import CredentialsMissing, ProducerNotAllowed, ValueNotAllowed
from app.core.json import escaped

MAX_SUBJECT = 200
MAX_SHOWN = 10

Scalar = str | int | bool


class ProducersError(ValueError):
    """The setting cannot be used; the message says why, as the end of a sentence."""


class FieldRule(NamedTuple):
    """A field that must have one of some values."""

    path: tuple[str, ...]
    values: tuple[Scalar, ...]

    def allows(self, body: Mapping[str, Any]) -> bool:
        """Say whether an event has one of the values there; an absent field has none."""
        value: Any = body
        for name in self.path:
            if not isinstance(value, dict) or name not in value:
                return False
            value = value[name]
        # In JSON true is not 1, though Python finds them equal.
        is_bool = isinstance(value, bool)
        return any(value == each and isinstance(each, bool) is is_bool for each in self.values)


@dataclass(frozen=True, slots=True)
class Producers:
    """Who may write to a stream: subjects, each with the rules that its events must keep."""

    rules: Mapping[str, Sequence[FieldRule]]

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the list in a stream's setting `producers`; raises ProducersError."""
        if not isinstance(value, list):
            raise ProducersError("is no list of subjects")
        if not value:
            # An allow list whose last line was deleted must not open the stream to everybody.
            raise ProducersError("names nobody; leave it out to let everybody write")
        rules: dict[str, Sequence[FieldRule]] = {}
        for item in value:
            subject, fields = _subject_and_fields(item)
            if subject in rules:
                raise ProducersError(f"names {subject} twice")
            rules[subject] = tuple(_rule(path, wanted) for path, wanted in fields.items())
        return cls(rules)

    def check(self, subject: str | None, stream: str) -> None:
        """Check that a subject may write; raises CredentialsMissing or ProducerNotAllowed."""
        if subject in self.rules:
            return
        if subject is None:
            raise CredentialsMissing(
                f"Stream {stream} is written by those who say who they are; this request does not.",
                pointer="/meta/stream",
                expected="an API key or a token in the header Authorization",
                got="no credentials",
                hint="Send Authorization: Bearer, and the key or token that you were given.",
            )
        raise ProducerNotAllowed(
            f"{subject} may not write to the stream {stream}.",
            pointer="/meta/stream",
            expected="a stream whose producers name you",
            got=stream,
            hint="Ask the stream's owner to add you to its producers.",
        )

    def check_values(self, subject: str | None, body: Mapping[str, Any]) -> None:
        """Check the values that a subject may send; raises ValueNotAllowed."""
        if subject is None:  # the service itself
            return
        for rule in self.rules.get(subject, ()):
            if not rule.allows(body):
                raise _not_allowed(subject, rule)


NOBODY = Producers({})


def _subject_and_fields(item: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(item, str):
        item = {"subject": item}
    if not isinstance(item, dict) or not is_subject(item.get("subject")):
        raise ProducersError(
            "has an entry that is neither a subject nor a mapping with `subject` and `fields`; "
            f"a subject is 1 to {MAX_SUBJECT} visible characters"
        )
    subject = item["subject"]
    fields = item.get("fields", {})
    if not item.keys() <= {"subject", "fields"}:
        raise ProducersError(f"has more than `subject` and `fields` for {subject}")
    if not isinstance(fields, dict):
        raise ProducersError(f"has fields for {subject} that are no mapping of fields to values")
    return subject, fields


def is_subject(value: Any) -> bool:
    """Say whether a value can be the name of who sends."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_SUBJECT
        and value.isprintable()
        and value.strip() == value
    )


def _rule(path: Any, wanted: Any) -> FieldRule:
    if not isinstance(path, str) or not all(path.split(".")):
        raise ProducersError(f"has {str(path)[:100]!r}, which is no field like meta.domain")
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values or not all(isinstance(value, str | int) for value in values):
        raise ProducersError(
            f"has values for {path} that are no text, whole number or boolean, nor a list of them"
        )
    return FieldRule(tuple(path.split(".")), tuple(values))


def _not_allowed(subject: str, rule: FieldRule) -> ValueNotAllowed:
    path = ".".join(rule.path)
    shown = ", ".join(str(value) for value in rule.values[:MAX_SHOWN])
    more = " or others" if len(rule.values) > MAX_SHOWN else ""
    # What the event has there is not repeated: the service itself may have set it.
    return ValueNotAllowed(
        f"{subject} may write to this stream only with {path}: {shown}{more}.",
        pointer="".join(f"/{escaped(name)}" for name in rule.path),
        expected=f"{shown}{more}",
        got="another value, or none",
        hint="Send what is yours to send, or ask the stream's owner to widen the rule.",
    )

"""Everything that can go wrong, as one tree. Status codes, error events and metrics follow from it.

IntakeError
+ ConfigError                    Sluiceway refuses to start
+ EventError                     one event did not make it -> its Outcome
  + InvalidEvent      "invalid"  the event is at fault: sending it again cannot help
  | - MalformedEvent             malformed
  | - MissingField               missing_field
  | - UnmappedSchema             unmapped_schema
  | - UnknownStream              unknown_stream
  | - StreamReserved             stream_reserved
  | - SchemaNotFound             schema_not_found
  | - SchemaNotAllowed           schema_not_allowed
  | - SchemaViolation            schema_violation
  | - EventTooLarge              too_large
  | - UnsupportedMedia           unsupported_media
  | - RecordRefused              record_refused
  | - CredentialsMissing         credentials_missing
  | - CredentialsRefused         credentials_refused
  | - ProducerNotAllowed         producer_not_allowed
  | - ValueNotAllowed            value_not_allowed
  + IntakeFailure     "error"    we are at fault: sending it again may help
    - SchemaUnavailable          schema_unavailable
      - SchemaUnusable           schema_unusable
    - StreamsUnavailable         streams_unavailable
    - SinkUnavailable            sink_unavailable
    - TopicUnavailable           topic_unavailable
    - Overloaded                 overloaded
    - RateLimited                rate_limited
    - IdentityUnavailable        identity_unavailable
    - UnknownDelivery            unknown_delivery
    - InternalFailure            internal
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Status = Literal["success", "invalid", "error"]


class IntakeError(Exception):
    """Anything that Sluiceway itself raises on purpose."""


class ConfigError(IntakeError):
    """Sluiceway cannot start like this; `problems` are all of them, in the operator's words."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an event breaks its schema, for the person who must mend the sender.

    `pointer` is an RFC 6901 JSON pointer into the event, `schema_pointer` one into the schema.
    `params` are the keyword's facts under the names that EventGate's clients know from Ajv.
    """

    pointer: str
    keyword: str
    message: str
    expected: str
    got: str
    hint: str
    schema_pointer: str = ""
    params: dict[str, Any] = field(default_factory=dict)


class EventError(IntakeError):
    """One event did not make it.

    `pointer` says where in the event (JSON pointer; None: the event as a whole), `expected` and
    `got` what was wanted and found there, `hint` what to do. `told` is what an error event may hold
    of an event that was not decoded, where that is less than what arrived. `is_told` says whether
    an error event is made of it.
    """

    status: ClassVar[Status]
    reason: ClassVar[str]
    is_told: bool = False

    def __init__(
        self,
        message: str,
        *,
        pointer: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
        told: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer
        self.expected = expected
        self.got = got
        self.hint = hint
        self.told = told

    def __str__(self) -> str:
        return self.message

    @property
    def violations(self) -> Sequence[Violation]:
        """Where the event breaks its schema; empty for every other reason."""
        return ()


class InvalidEvent(EventError):
    """The event is at fault: sending it again cannot help."""

    status = "invalid"
    is_told = True


class MalformedEvent(InvalidEvent):
    """It could not be read as one JSON object that every JSON consumer understands."""

    reason = "malformed"


class MissingField(InvalidEvent):
    """A field that every event needs is absent, or is not what it must be."""

    reason = "missing_field"


class UnmappedSchema(InvalidEvent):
    """An old event names a schema that the mapping does not know."""

    reason = "unmapped_schema"


class UnknownStream(InvalidEvent):
    """No stream of that name is configured."""

    reason = "unknown_stream"


class StreamReserved(InvalidEvent):
    """Only the service itself writes to that stream."""

    reason = "stream_reserved"


class SchemaNotFound(InvalidEvent):
    """`$schema` names no schema of the repositories, or is no acceptable URI at all."""

    reason = "schema_not_found"


class SchemaNotAllowed(InvalidEvent):
    """The stream takes events of another schema."""

    reason = "schema_not_allowed"


class SchemaViolation(InvalidEvent):
    """The event breaks its schema; `violations` say where, in the order of the event."""

    reason = "schema_violation"

    def __init__(self, schema_uri: str, violations: Sequence[Violation]) -> None:
        first = violations[0]
        super().__init__(
            "",
            pointer=first.pointer,
            expected=first.expected,
            got=first.got,
            hint=first.hint,
        )
        self.schema_uri = schema_uri
        self._violations = tuple(violations)

    @property
    def violations(self) -> Sequence[Violation]:
        return self._violations

    def __str__(self) -> str:
        return ", ".join(f"'{v.pointer or '/'}' {v.message}" for v in self._violations)


class EventTooLarge(InvalidEvent):
    """The event, or the request that carried it, is larger than the limit."""

    reason = "too_large"


class UnsupportedMedia(InvalidEvent):
    """The request's content type, charset or content encoding is none that we read."""

    reason = "unsupported_media"


class RecordRefused(InvalidEvent):
    """The sink looked at this one record and will never take it; others beside it are stored."""

    reason = "record_refused"


class CredentialsMissing(InvalidEvent):
    """Only those who say who they are may write to the stream, and this request does not."""

    reason = "credentials_missing"
    is_told = False  # a stranger must not fill the error stream of what they may not write to


class CredentialsRefused(InvalidEvent):
    """The request has credentials that prove nothing: wrong, expired, or unreadable."""

    reason = "credentials_refused"
    is_told = False  # the same


class ProducerNotAllowed(InvalidEvent):
    """The stream names who may write to it, and the sender is none of them."""

    reason = "producer_not_allowed"


class ValueNotAllowed(InvalidEvent):
    """The sender may write to the stream, but not with this value in that field."""

    reason = "value_not_allowed"


class IntakeFailure(EventError):
    """We are at fault: sending the event again may help."""

    status = "error"


class SchemaUnavailable(IntakeFailure):
    """The schema cannot be had now."""

    reason = "schema_unavailable"


class SchemaUnusable(SchemaUnavailable):
    """The schema is there, but is broken or too much work: its author has to mend it.

    Some of these are told of, so that the owner of the stream learns of it; see `Refusals`.
    """

    reason = "schema_unusable"


class StreamsUnavailable(IntakeFailure):
    """No stream configuration was ever loaded."""

    reason = "streams_unavailable"


class SinkUnavailable(IntakeFailure):
    """The sink did not take the record; it is not stored."""

    reason = "sink_unavailable"


class TopicUnavailable(IntakeFailure):
    """The stream's topic does not exist or may not be written: an operator must mend that."""

    reason = "topic_unavailable"


class Overloaded(IntakeFailure):
    """There is no room for it now; it was not taken."""

    reason = "overloaded"


class RateLimited(IntakeFailure):
    """The client has sent more than its share; `retry_after` is in whole seconds."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_after: int = 1, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class IdentityUnavailable(IntakeFailure):
    """The keys that would prove the sender's credentials cannot be had now."""

    reason = "identity_unavailable"


class UnknownDelivery(IntakeFailure):
    """The sink has it but has not answered in time: it may or may not be stored."""

    reason = "unknown_delivery"


class InternalFailure(IntakeFailure):
    """A defect of ours; the log has the traceback."""

    reason = "internal"


def reasons() -> dict[str, type[EventError]]:
    """Return every reason with its class, in the order of the tree above."""
    return {
        kind.reason: kind
        for branch in (InvalidEvent, IntakeFailure)
        for leaf in branch.__subclasses__()
        for kind in (leaf, *leaf.__subclasses__())
    }

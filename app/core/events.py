"""An event's life in a few nouns: RawEvent, Event, Record, Delivery, Outcome.

They are msgspec's structs: five are made for each event, and a frozen dataclass takes ten times as
long to make.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from app.core.errors import EventError, MissingField, Status

NOTHING: Mapping[str, Any] = {}


class Decoded(NamedTuple):
    """What a decoder read: the body, and values for fields that not every schema has.

    `offers` maps dotted paths (`http.request_headers.user-agent`) to values; each is set where the
    event's schema has that field and the body lacks it, and dropped otherwise.
    """

    body: dict[str, Any]
    offers: Mapping[str, Any] = NOTHING


Decoder = Callable[[Any], tuple[dict[str, Any], Mapping[str, Any]]]
"""payload -> (body, offers), see `Decoded`; raises ValueError when it cannot read the payload.

A ValueError's `reason` attribute, where it has one, names the EventError to answer with, and `told`
is what an error event may hold of the payload.
"""


def _no_header(_name: str) -> str | None:
    return None


class Context(Struct, frozen=True):
    """What all events of one request share.

    `source` is the wire's name, for metrics; `received_ms` is in milliseconds since 1970; `header`
    returns the request's header of a lower-case name. `internal` marks what the service itself
    made, `hasty` what was answered before it was processed. `subject` is who the sender proved to
    be, None for anybody.
    """

    source: str
    received_ms: int
    client_ip: str | None = None
    header: Callable[[str], str | None] = _no_header
    internal: bool = False
    hasty: bool = False
    subject: str | None = None


class RawEvent(Struct, frozen=True):
    """What arrived, unread. `stream` and `schema_uri` are what the wire said beside it."""

    payload: Any
    stream: str | None = None
    schema_uri: str | None = None


class Event(Struct, frozen=True):
    """An event in the modern shape, as its decoder read it."""

    raw: RawEvent
    body: dict[str, Any]
    offers: Mapping[str, Any] = NOTHING

    @property
    def schema_uri(self) -> str:
        """`$schema`, else what the wire said; raises MissingField."""
        uri = self.body.get("$schema", self.raw.schema_uri)
        if isinstance(uri, str) and uri:
            return uri
        raise MissingField(
            "The event does not say which schema it follows.",
            pointer="/$schema",
            expected="the URI of a schema, as a string",
            got=_kind(uri),
            hint="Set $schema, for example to /my/schema/1.0.0.",
        )

    @property
    def stream(self) -> str:
        """`meta.stream`, else what the wire said; raises MissingField."""
        meta = self.body.get("meta")
        if meta is not None and not isinstance(meta, dict):
            raise MissingField(
                "The event's meta is not an object.",
                pointer="/meta",
                expected="an object",
                got=_kind(meta),
                hint='Send meta as an object: {"meta": {"stream": "my.stream"}}.',
            )
        stream = meta.get("stream", self.raw.stream) if meta else self.raw.stream
        if isinstance(stream, str) and stream:
            return stream
        raise MissingField(
            "The event does not say which stream it belongs to.",
            pointer="/meta/stream",
            expected="the name of a stream, as a string",
            got=_kind(stream),
            hint="Set meta.stream to the name of a configured stream.",
        )


class Record(Struct, frozen=True):
    """An event ready to write: `value` is its JSON, `key` the message key's JSON."""

    stream: str
    topic: str
    value: bytes
    key: bytes | None
    timestamp_ms: int
    schema_uri: str


class Delivery(Struct, frozen=True):
    """Where a record came to rest, and how safely."""

    durability: Literal["acked", "spooled"]
    topic: str
    partition: int
    offset: int


class Outcome(Struct, frozen=True):
    """How one event ended.

    `event` is None if it could not be decoded; `stream` is None if it names no configured stream.
    """

    raw: RawEvent
    event: Event | None
    stream: str | None
    delivery: Delivery | None
    error: EventError | None

    @property
    def status(self) -> Status:
        return self.error.status if self.error else "success"

    @property
    def reason(self) -> str:
        """One word for why it failed; `accepted` if it did not."""
        return self.error.reason if self.error else "accepted"

    @property
    def receipt(self) -> str:
        """What a sender who waits is told of it, in one word: see docs/http-api.md."""
        if self.error is None:
            return self.delivery.durability if self.delivery else "acked"
        if self.error.status == "invalid":
            return "invalid"
        return {"unknown_delivery": "unknown", "internal": "internal"}.get(self.reason, "retry")


def _kind(value: Any) -> str:
    """Name what was found, without its content."""
    match value:
        case None:
            return "nothing"
        case "":
            return "an empty string"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"

"""Decoding: from what a wire brought to an Event; the modern wire's own decoder."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import EventError, InvalidEvent, MalformedEvent, reasons
from app.core.events import NOTHING, Decoder, Event, RawEvent
from app.core.json import Unstorable

_REASONS = reasons()


def as_object(payload: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Decode the modern wire: the payload is the event. Raises MalformedEvent or JsonError."""
    if isinstance(payload, dict):
        return payload, NOTHING
    if isinstance(payload, Unstorable):
        raise payload.problem
    raise MalformedEvent(
        "The event is not a JSON object.",
        expected="an object",
        got=_KINDS.get(type(payload), "something else"),
        hint="Send one event object, or an array of them.",
    )


def refusing(error: InvalidEvent) -> Decoder:
    """Return a decoder for what is refused before anything can be read from it."""

    def decode(_payload: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
        raise error

    return decode


def decoded(raw: RawEvent, decode: Decoder) -> Event:
    """Return the event that a decoder reads from `raw`; raises EventError."""
    try:
        body, offers = decode(raw.payload)
    except EventError:
        raise
    except ValueError as error:
        # A decoder knows nothing of us: its ValueError may name one of our reasons.
        kind = _REASONS.get(getattr(error, "reason", ""), MalformedEvent)
        raise kind(
            str(error),
            pointer=getattr(error, "pointer", None),
            expected=getattr(error, "expected", None),
            got=getattr(error, "got", None),
            hint=getattr(error, "hint", None),
            told=getattr(error, "told", None),
        ) from error
    return Event(raw, body, offers)


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
}

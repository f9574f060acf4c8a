"""What a case of a corpus is: a name, what is sent, the verdict on it, and why."""

from typing import Literal, NamedTuple

Verdict = Literal["stored", "malformed", "ignored", "414"]
Kind = Literal["must accept", "must refuse", "ours"]
"""What RFC 8259 says of a text: it is JSON, it is not, or readers may decide."""

EVENT = b"<event>"
"""Stands for a whole good event of the wire."""


class JsonText(NamedTuple):
    """A text of JSON, and what becomes of the event that it is, or is part of.

    Without EVENT in it, and unless it is `whole`, the text is put as the value of a field into an
    otherwise good event. `beacon` is the verdict on the beacon where the nature of that wire asks
    for another one; `why` then says so.
    """

    name: str
    text: bytes
    kind: Kind
    verdict: Verdict
    why: str
    whole: bool = False
    beacon: Verdict | None = None


class Number(NamedTuple):
    """A number as it is written in JSON, and how it is read back; None: it is refused."""

    name: str
    text: str
    stored: str | None
    why: str


class Naughty(NamedTuple):
    """A string that breaks programs, and what becomes of it.

    `field`: as a value, a key or an identifier of an event; `header`: as a request header that the
    stream collects. "trimmed": stored without the blanks at its ends; "cut": its first 400
    characters are stored; "cannot": no HTTP request can carry it, and one that tries is refused
    with 400.
    """

    group: str
    name: str
    text: str
    field: Literal["stored", "malformed"] = "stored"
    header: Literal["stored", "trimmed", "cut", "cannot"] = "stored"


class Uri(NamedTuple):
    """A text where a schema's URI is expected, which must lead nowhere.

    `reason` is why an event is refused that names it, `eventbus` the same for an EventBus event,
    whose URIs have another form; "stored": in that form it names a schema that is there.
    """

    group: str
    name: str
    text: str
    reason: Literal["schema_not_found", "schema_unavailable"] = "schema_not_found"
    eventbus: Literal["schema_not_found", "schema_unavailable", "stored"] = "schema_not_found"

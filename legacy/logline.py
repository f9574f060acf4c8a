"""Log lines: a capsule, and beside it what the old front door knew when it received it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from legacy.beacon import Loads, capsule_of
from legacy.capsule import object_in, without_secrets
from legacy.clienttime import utc_of
from legacy.errors import LegacyError
from legacy.formats import CAPSULE, LineFormat
from legacy.translate import USER_AGENT_LIMIT

PRODUCTION = LineFormat.parse("2018-02")
"""The last format that was in use."""

LONGEST = 64
"""Characters of a number, a time or an address; what is longer is none."""

_NOTHING = (None, "", "-")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a line says about how the capsule came; None where it says nothing usable.

    `event_id` is the identity that the old system gave the event: the same line has the same one.
    """

    dt: str | None = None
    host: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    event_id: UUID | None = None

    def offers(self) -> dict[str, Any]:
        """Return what a schema may have fields for: dotted path -> value."""
        offers: dict[str, Any] = {}
        if self.client_ip is not None:
            offers["http.client_ip"] = self.client_ip
        if self.user_agent is not None:
            offers["http.request_headers.user-agent"] = self.user_agent[:USER_AGENT_LIMIT]
        if self.event_id is not None:
            offers["meta.id"] = str(self.event_id)
            offers["uuid"] = self.event_id.hex
        return offers


def read_line(line: bytes, form: LineFormat, loads: Loads) -> tuple[dict[str, Any], Receipt]:
    """Return the capsule of a line and its receipt; raises LegacyError.

    A line end is not part of the line. `loads` parses JSON, as for a beacon.
    """
    # Bytes that are not UTF-8 pass through the match unharmed, and are judged where they stand.
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    columns = form.match(text)
    if columns is None:
        raise LegacyError(
            "The line does not have the form of the format.",
            reason="malformed",
            expected=form.text,
            got=f"{len(text):,} characters in another form",
            hint="Name the format that the log was written in; columns are told apart by tabs.",
            told=_event_in(line),
        )
    event = columns[CAPSULE].encode("utf-8", "surrogateescape")
    try:
        if form.columns[CAPSULE] == "query":
            capsule = capsule_of(event, loads)
        else:
            capsule = _capsule_of_json(event, loads)
    except LegacyError as error:
        error.told = event if error.told is None else error.told
        raise
    return capsule, _receipt(columns)


def _capsule_of_json(text: bytes, loads: Loads) -> dict[str, Any]:
    try:
        capsule = loads(text)
    except ValueError as error:
        raise LegacyError(
            "The line's JSON is none that we read.",
            reason="malformed",
            pointer=getattr(error, "pointer", None),
            expected="a JSON object without blanks",
            got=str(error)[:200],
            hint="Blanks inside strings are written as \\u0020: a blank ends the column.",
            told=without_secrets(text),
        ) from error
    return object_in(capsule, "The line's event")


def _event_in(line: bytes) -> bytes:
    """Return what looks like an event in a line; the rest of it may be addresses."""
    words = (word for word in line.split() if word.startswith((b"?", b"{")))
    return without_secrets(next(words, b""))


def _receipt(columns: Mapping[str, str]) -> Receipt:
    host = _known(columns.get("recvFrom"))
    number = columns.get("seqId", "")
    iso = columns.get("dt")
    dt = _moment(iso or columns.get("timestamp"))
    return Receipt(
        dt=dt,
        host=host,
        client_ip=_address(columns.get("ip") or columns.get("clientIp")),
        user_agent=_user_agent(columns.get("userAgent")),
        event_id=_event_id(host, int(number), dt, since_2017=iso is not None)
        if host and dt and number.isdecimal() and len(number) <= LONGEST
        else None,
    )


def _event_id(host: str, number: int, dt: str, *, since_2017: bool) -> UUID:
    if since_2017:
        when = f"dt={dt[:19]}Z"
    else:
        when = f"timestamp={datetime.fromisoformat(dt).timestamp():.0f}"
    return uuid5(NAMESPACE_URL, f"event://{host}/?seqId={number}&{when}")


def _moment(text: str | None) -> str | None:
    return _utc_of(text) if text and len(text) <= LONGEST else None


def _known(text: str | None) -> str | None:
    return None if text in _NOTHING else _readable(text)


def _address(text: str | None) -> str | None:
    return _address_of(text) if text and len(text) <= LONGEST else None


_utc_of = lru_cache(1_000)(utc_of)  # thousands of lines on end have the same second


@lru_cache(10_000)
def _address_of(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None  # "-", or a list of proxies


def _user_agent(text: str | None) -> str | None:
    # The writer of the log put user agents in quotes, and escaped none inside.
    if text and len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _known(text)


def _readable(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

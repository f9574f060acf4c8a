"""A client's idea of the time, in any of the forms that old clients used, as the wire writes it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

LONGEST = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:[Tt]?(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})[Zz]?)?"
)
# Not datetime.fromisoformat: what it takes (24:00, odd separators) differs between Pythons.
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,18}))?)?"
    r" ?(?:[Zz]|(?P<sign>[+-])(?P<ahead_h>[0-9]{2})(?::?(?P<ahead_m>[0-5][0-9]))?)?)?"
)


def utc_of(value: Any) -> str | None:
    """Return the time meant by `value` as `2024-02-03T04:05:06.789Z`, None if it means none.

    A number, also as text, counts seconds since 1970, or milliseconds where that many seconds lie
    outside the years 1 to 9999. Text is ISO 8601, or MediaWiki's `20240203040506`; without a zone
    it is UTC.
    """
    match value:
        case bool():
            return None
        case int() | float():
            return _of_number(value)
        case str() if len(value) <= LONGEST:
            return _of_text(value.strip())
        case _:
            return None


def _of_number(number: float) -> str | None:
    for ms in (number * 1000, number):
        try:
            return _written(_EPOCH + timedelta(milliseconds=round(ms)))
        except (ValueError, OverflowError):
            continue
    return None


def _of_text(text: str) -> str | None:
    if parts := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        try:
            return _written(_of_parts(parts.groupdict("0")))
        except (ValueError, OverflowError):
            return None
    if _NUMBER.fullmatch(text):
        return _of_number(float(text) if "." in text else int(text))
    return None


def _of_parts(parts: dict[str, str]) -> datetime:
    ahead = timedelta(hours=int(parts.get("ahead_h", 0)), minutes=int(parts.get("ahead_m", 0)))
    return datetime(
        int(parts["year"]),
        int(parts["month"]),
        int(parts["day"]),
        int(parts["hour"]),
        int(parts["minute"]),
        int(parts["second"]),
        int(parts.get("fraction", "0")[:6].ljust(6, "0")),
        tzinfo=timezone(-ahead if parts.get("sign") == "-" else ahead),
    )


def _written(moment: datetime) -> str:
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat('T', 'milliseconds')}Z"

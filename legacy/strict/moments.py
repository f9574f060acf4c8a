"""Times as the old system wrote them: anything it took for one, as ISO 8601 text."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from dateutil import parser, tz

# What every log line has: already as it will be written, and 300 times as fast to recognise as to
# parse. Days after the 28th are left to those who know the months.
_PLAIN = re.compile(
    r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
)


def iso_of(value: Any, *, now: datetime) -> str:
    """Return the time that a value means; raises ValueError, TypeError, OverflowError or OSError.

    Text is whatever dateutil reads, missing parts are those of `now` (its date; midnight), and
    without a zone it is UTC. Integers are seconds since 1970, or milliseconds where the seconds lie
    after the year 9999; floats are seconds only. Offsets are kept, `+00:00` is written `Z`.
    """
    match value:
        case str():
            if _PLAIN.fullmatch(value):
                return f"{value}Z"
            moment = _parsed(value, now)
        case float():
            moment = datetime.fromtimestamp(value, UTC)
        case int():  # true is one second
            moment = _of_seconds_or_ms(value)
        case _:
            raise TypeError(f"{value} is no time: it is of {type(value)}.")
    return written(moment)


def written(moment: datetime) -> str:
    """Return a moment as ISO 8601; with a fraction, it has six digits."""
    text = moment.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _of_seconds_or_ms(value: int) -> datetime:
    try:
        return datetime.fromtimestamp(value, UTC)
    except ValueError:
        return datetime.fromtimestamp(value / 1000.0, UTC)


def _parsed(text: str, now: datetime) -> datetime:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    moment: datetime = parser.parse(text, default=today, tzinfos=_zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    # Names of zones without an offset were not understood, and the time was taken for UTC. Left to
    # itself, dateutil would ask the zone of this machine, which was UTC on all of theirs.
    if offset is None:
        return None
    zone: tzinfo = tz.tzoffset(name, timedelta(seconds=offset))
    return zone

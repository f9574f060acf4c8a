"""Times as the wire writes them: ISO 8601 in UTC, milliseconds, `Z`."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=64)
def iso_of_ms(ms: int) -> str:
    """Return `ms` since 1970 as `2024-02-03T04:05:06.789Z`."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def ms_of_iso(text: object) -> int | None:
    """Return the milliseconds since 1970 of an ISO 8601 time, None if it is not one.

    A time without a zone is taken as UTC.
    """
    if not isinstance(text, str) or len(text) > 64:  # noqa: PLR2004 (no honest time is longer)
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

"""Identifiers as the old system made them: version 5, of where and when a line was written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from legacy.strict.moments import iso_of


def capsule_uuid(capsule: Mapping[str, Any], *, now: datetime) -> str:
    """Return a capsule's identifier, since November 2017; raises if its `timestamp` is no time.

    Nothing is escaped, and what the capsule lacks is the text `None`. Without `dt` its `timestamp`
    counts, else `now`.
    """
    # The timestamp was looked at even where there is a dt, and lost events for it.
    moment = iso_of(capsule.get("timestamp", now.timestamp()), now=now)
    return _hex(
        f"event://{capsule.get('recvFrom')}/?seqId={capsule.get('seqId')}"
        f"&dt={capsule.get('dt', moment)}"
    )


def capsule_uuid_until_2017(capsule: Mapping[str, Any]) -> str:
    """Return a capsule's identifier, before November 2017; raises KeyError if a part is missing."""
    timestamp = str(capsule["timestamp"])[:10]
    return _hex(f"event://{capsule['recvFrom']}/?seqId={capsule['seqId']}&timestamp={timestamp}")


def _hex(name: str) -> str:
    return uuid5(NAMESPACE_URL, name).hex

"""What is different in an event that both took: what the old system published, what is stored."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from app.core.json import escaped
from legacy.clienttime import utc_of
from legacy.useragent import parse_ua

MAX_DIFFERENCES = 50
_MISSING: Any = object()
_SAME = ("wiki", "webHost", "schema", "revision")
# The service leaves these out on purpose: LEGACY addresses and what only the old pipeline used.
_COMPARED = frozenset((*_SAME, "event", "uuid", "dt", "userAgent"))
_LEFT_OUT = frozenset(("ip", "clientIp", "recvFrom", "seqId", "timestamp", "topic"))


class Difference(NamedTuple):
    """One place where both differ: `kind` is missing, added, type, number form or value."""

    pointer: str
    kind: str
    old: Any
    new: Any


def differences(
    published: dict[str, Any], stored: dict[str, Any], *, from_line: bool
) -> list[Difference]:
    """Return where the stored event differs in meaning from the published capsule.

    What the mapping moves is followed to where it went: webHost to meta.domain, uuid to meta.id,
    the user agent to the request's headers. `from_line` says that the line itself told when and
    where it was received, from which both make the same identity and time.
    """
    found: list[Difference] = []
    old_event = published.get("event")
    empty = {} if old_event in (None, []) else old_event
    for difference in _walk("/event", empty, stored.get("event", _MISSING)):
        found.append(difference)
        if len(found) >= MAX_DIFFERENCES:
            return found
    for name in _SAME:
        found += _walk(f"/{name}", published.get(name, _MISSING), stored.get(name, _MISSING))
    found += _walk("/meta/domain", published.get("webHost") or _MISSING, _of_meta(stored, "domain"))
    if from_line:
        new_id = _of_meta(stored, "id")
        same = str(new_id).replace("-", "")
        # A client's own dt took the line's place, in the identity as well; now it is client_dt.
        if _same_time(published.get("dt"), stored.get("client_dt")):
            own_dt = not _same_time(published.get("dt"), stored.get("dt"))
        else:
            own_dt = False
            found += _times(published, stored)
        if not own_dt:
            found += _walk("/uuid", published.get("uuid", _MISSING), same)
    found += _agents(published, stored)
    others = published.keys() - _COMPARED - _LEFT_OUT
    for name in sorted(others):
        found += _walk(f"/{escaped(name)}", published[name], stored.get(name, _MISSING))
    return found[:MAX_DIFFERENCES]


def _walk(pointer: str, old: Any, new: Any) -> Iterator[Difference]:
    if old is _MISSING and new is _MISSING:
        return
    if new is _MISSING:
        yield Difference(pointer, "missing", old, None)
    elif old is _MISSING:
        yield Difference(pointer, "added", None, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in old | new:
            inner = f"{pointer}/{escaped(name)}"
            yield from _walk(inner, old.get(name, _MISSING), new.get(name, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        for position in range(max(len(old), len(new))):
            pair = (each[position] if position < len(each) else _MISSING for each in (old, new))
            yield from _walk(f"{pointer}/{position}", *pair)
    elif type(old) is not type(new):
        numbers = not isinstance(old, bool) and not isinstance(new, bool) and old == new
        yield Difference(pointer, "number form" if numbers else "type", old, new)
    elif old != new:
        yield Difference(pointer, "value", old, new)


def _times(published: dict[str, Any], stored: dict[str, Any]) -> Iterator[Difference]:
    old, new = published.get("dt"), stored.get("dt")
    if old is not None and new is not None and not _same_time(old, new):
        yield Difference("/dt", "value", old, new)


def _same_time(old: Any, new: Any) -> bool:
    """Say whether two times are in the same second: lines have no fractions."""
    one, other = utc_of(old), utc_of(new)
    return one is not None and other is not None and one[:19] == other[:19]


def _agents(published: dict[str, Any], stored: dict[str, Any]) -> Iterator[Difference]:
    old = published.get("userAgent")
    http = stored.get("http")
    headers = http.get("request_headers") if isinstance(http, dict) else None
    new = headers.get("user-agent", _MISSING) if isinstance(headers, dict) else _MISSING
    if new is _MISSING or not isinstance(old, dict) or not isinstance(new, str):
        return
    # The log wrote agents in quotes, which are stored bare.
    try:
        said = (parse_ua(new), parse_ua(f'"{new}"'))
    except ValueError:
        return
    if old not in said:
        yield Difference("/userAgent", "value", old, new)


def _of_meta(stored: dict[str, Any], name: str) -> Any:
    return stored.get("meta", {}).get(name, _MISSING)

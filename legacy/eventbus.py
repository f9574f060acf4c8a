"""Events of the EventBus service (2016-2019): `meta.schema_uri` and `meta.topic` put anew."""

import re
from collections.abc import Callable
from typing import Any

from legacy.clienttime import utc_of
from legacy.errors import LegacyError
from legacy.mapping import Mapping

_OLD = ("schema_uri", "topic")
_FILE_TYPE = re.compile(r"\.(?:json|yaml|yml)$")
_VERSION = re.compile(r"[0-9]{1,9}|[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?|latest")

LatestOf = Callable[[str], str | None]
"""stream -> the URI of the latest schema that it takes, None if there is no such stream."""


def is_eventbus(value: Any) -> bool:
    """Say whether a JSON value has the shape of an EventBus event, and of nothing newer."""
    if not isinstance(value, dict) or "$schema" in value:
        return False
    meta = value.get("meta")
    return isinstance(meta, dict) and any(name in meta for name in _OLD)


def modern_body_of(
    event: dict[str, Any], mapping: Mapping, latest_of: LatestOf
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an EventBus event as the body of a modern one, and offers; raises LegacyError.

    `event` is not edited. All of its own fields and of its `meta` are kept, but for the two that
    are put anew.
    """
    old: dict[str, Any] = event["meta"]
    topic = old.get("topic", old.get("stream"))
    if not isinstance(topic, str) or not topic:
        raise _missing("/meta/topic", "the name of the event's topic", topic)
    schema_uri, stream = _target(old, topic, mapping, latest_of)
    meta = {name: value for name, value in old.items() if name not in _OLD}
    body = {"$schema": schema_uri, **event, "meta": {**meta, "stream": stream}}
    if schema_uri is None:
        del body["$schema"]  # no such stream: that is said before
    dt = utc_of(old.get("dt"))
    return body, {"dt": dt} if dt else {}


def _target(
    meta: dict[str, Any], topic: str, mapping: Mapping, latest_of: LatestOf
) -> tuple[str | None, str]:
    if "schema_uri" not in meta:
        return latest_of(topic), topic  # as the old service chose
    uri = meta["schema_uri"]
    if not isinstance(uri, str) or not uri.strip("/"):
        raise _missing("/meta/schema_uri", "a schema's name and revision, like my/schema/2", uri)
    path = _FILE_TYPE.sub("", uri.strip("/"))
    name, _, version = path.rpartition("/")
    if not name or not _VERSION.fullmatch(version):
        name, version = path, "latest"
    revision = int(version) if version.isdecimal() else None
    entry = mapping.entries.get(name)
    if entry:
        target = entry.at(revision)
        return target.schema_uri, target.stream
    # Revisions were whole numbers; the schemas of today number their versions from there.
    return f"/{name}/{version if revision is None else f'{revision}.0.0'}", topic


def _missing(pointer: str, expected: str, got: Any) -> LegacyError:
    return LegacyError(
        f"The event's {pointer[1:].replace('/', '.')} cannot be used.",
        reason="missing_field",
        pointer=pointer,
        expected=expected,
        got="nothing" if got is None else f"{str(got)[:100]!r}",
        hint="Set meta.topic and meta.schema_uri, or send the event in the modern shape: "
        "$schema and meta.stream.",
    )

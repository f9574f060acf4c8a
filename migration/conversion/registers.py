"""The two files that know of a schema besides its repository: the mapping, and the streams."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.yaml import YamlError, parse_yaml
from app.streams.entries import EntryError, entries_of
from legacy.errors import MappingError
from legacy.mapping import Mapping as OldNames
from legacy.mapping import Target
from legacy.mappingfile import parse_text
from migration.conversion.edits import EditError, put
from migration.conversion.yamltext import yaml_of
from migration.layout import Place

Register = Callable[[str, Place], str]
"""The text of a file with a schema in it; the same text if it was. Raises EditError."""

_STREAMS = "streams"
_USER_AGENT = {"http.request_headers.user-agent": "user-agent"}
_NEW_MAPPING = "# What the names of old EventLogging schemas mean now.\n"
_NEW_STREAMS = "# Streams, and the schemas that they take.\n"


def mapped(text: str, place: Place) -> str:
    """Return a mapping file's text in which a name means its new schema.

    A name that means the newest version of it (`latest`) is left as it is; so are pins.
    """
    stated = {"schema_uri": place.uri, "stream": place.stream}
    try:
        return _mapped(text, place, stated)
    except (EditError, MappingError) as error:
        raise _by_hand(error, {"schemas": {place.name: stated}}) from error


def streamed(text: str, place: Place) -> str:
    """Return a stream configuration's text in which the events' stream takes the new schema."""
    stated = {"schema_title": place.title, "enrich_fields_from_http_headers": _USER_AGENT}
    try:
        return _streamed(text, place, stated)
    except (EditError, EntryError, YamlError) as error:
        raise _by_hand(error, {place.stream: stated}) from error


def _mapped(text: str, place: Place, stated: Mapping[str, str]) -> str:
    known = parse_text(text) if text.strip() else {}
    wanted = Target(place.uri, place.stream)
    target = _target(known, place.name)
    if target in (wanted, Target(f"/{place.title}/latest", place.stream)):
        return text
    path = ("schemas", place.name)
    edited = text or _NEW_MAPPING
    if target and isinstance(known["schemas"][place.name], dict):
        edited = put(edited, (*path, "schema_uri"), place.uri, parse_text)
        if target.stream != place.stream:
            edited = put(edited, (*path, "stream"), place.stream, parse_text)
    else:
        edited = put(edited, path, stated, parse_text)
    if _target(parse_text(edited), place.name) != wanted:
        raise EditError("the name would still mean something else")
    return edited


def _target(known: Any, name: str) -> Target | None:
    """Return what a listed name means, None if it is not listed; raises MappingError."""
    listed = known.get("schemas") if isinstance(known, dict) else None
    if not isinstance(listed, dict) or name not in listed:
        return None
    return OldNames.parse(known).target(name, None)


def _streamed(text: str, place: Place, stated: Mapping[str, Any]) -> str:
    known = parse_yaml(text) if text.strip() else {}
    above = _above(known)
    table = known[_STREAMS] if above else known
    path = (*above, place.stream)
    edited = text or _NEW_STREAMS
    if isinstance(table, dict) and isinstance(table.get(place.stream), dict):
        edited = put(edited, (*path, "schema_title"), place.title, parse_yaml)
    else:
        edited = put(edited, path, stated, parse_yaml)
    after = parse_yaml(edited)
    for entry in entries_of(after[_STREAMS] if above else after, ""):
        if isinstance(entry, str):
            raise EditError(entry)
    return edited


def _above(known: Any) -> tuple[str, ...]:
    """Return where the streams stand: at the top, or under `streams` as an API answers them."""
    inner = known.get(_STREAMS) if isinstance(known, dict) else None
    return (_STREAMS,) if isinstance(inner, dict) and "schema_title" not in inner else ()


def _by_hand(error: Exception, value: Any) -> EditError:
    lines = "".join(f"\n    {line}" for line in yaml_of(value).splitlines())
    return EditError(f"it is left as it is, for {error}. Put this in by hand:{lines}")

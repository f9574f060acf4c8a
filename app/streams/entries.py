"""Entries of a stream configuration: what it says of one stream, or of all that a regex matches."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.core.secrets import SECRET_HEADERS
from app.streams.patterns import PatternError, pattern_of
from app.streams.privacy import NO_PRIVACY, Privacy, PrivacyError
from app.streams.producers import NOBODY, Producers, ProducersError

MAX_TOPIC = 249
NO_PREFIX = "eventlogging_"

_LEGAL = re.compile(r"[A-Za-z0-9._-]+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_INDEX = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is configured under one key: a stream's name, or a regex (then `pattern` is set)."""

    key: str
    pattern: re.Pattern[str] | None
    schema_title: str
    message_key_fields: tuple[tuple[str, tuple[str, ...]], ...]
    header_fields: Mapping[str, str | None]
    settings: Mapping[str, Any]
    privacy: Privacy = NO_PRIVACY
    enrich_useragent: bool = False
    producers: Producers | None = None


class EntryError(ValueError):
    """An entry cannot be used; the message says why."""


def entries_of(value: Any, topic_prefix: str) -> Iterator[Entry | str]:
    """Yield each entry of a configuration, in order, or the problem that it has.

    Raises EntryError if the value is no stream configuration at all.
    """
    seen = set()
    for key, settings in _pairs(value):
        try:
            entry = _entry(key, settings, topic_prefix)
        except EntryError as error:
            yield f"stream {shown(key)}: {error}"
            continue
        if entry.key in seen:
            yield f"stream {entry.key}: it is configured twice"
            continue
        seen.add(entry.key)
        try:
            producers = _producers(entry.settings)
        except EntryError as error:
            yield f"stream {shown(key)}: {error}"
            # Left out, its name might be taken by a regex that lets everybody write.
            producers = NOBODY
        yield replace(entry, producers=producers)


def topic_of(name: str, topic_prefix: str) -> str:
    """Return the topic of a stream."""
    # Topics of old EventLogging never had a data centre in their names; consumers rely on it.
    return name if name.startswith(NO_PREFIX) else topic_prefix + name


def name_problem(name: str, topic_prefix: str) -> str | None:
    """Say why a stream cannot be called so, None if it can: its topic must be legal in Kafka."""
    if not _LEGAL.fullmatch(name) or name in {".", ".."}:
        return "a stream's name is made of letters, digits, '.', '_' and '-'"
    longest = MAX_TOPIC - len(topic_of("", topic_prefix))
    if len(topic_of(name, topic_prefix)) > MAX_TOPIC:
        return f"a stream's name has at most {longest} characters"
    return None


def shown(name: str) -> str:
    """Return a name as it may be repeated to whoever sent it: in one line, and not all of it."""
    return name[:100] if _LEGAL.fullmatch(name[:100]) else repr(name[:100])


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, settings in value.items():
            # An entry that was written without a key got its place in the list as one (PHP).
            own = settings.get("stream") if isinstance(settings, dict) else None
            yield (own if _INDEX.fullmatch(key) and isinstance(own, str) else key), settings
    elif isinstance(value, list) and value:
        for position, settings in enumerate(value):
            own = settings.get("stream") if isinstance(settings, dict) else None
            yield (own if isinstance(own, str) else f"number {position + 1} of the list"), settings
    else:
        raise EntryError("it is not a mapping of stream names to settings")


def _entry(key: str, settings: Any, topic_prefix: str) -> Entry:
    pattern = None
    if len(key) > 2 and key.startswith("/") and key.endswith("/"):  # noqa: PLR2004 (two slashes)
        try:
            pattern = pattern_of(key[1:-1])
        except PatternError as error:
            raise EntryError(str(error)) from error
    elif problem := name_problem(key, topic_prefix):
        raise EntryError(f"{problem}; a regex stands between slashes, with no flags after them")
    table = _table(settings, "its settings are")
    if table.get("stream", key) != key:
        raise EntryError("its setting `stream` has another name")
    title = table.get("schema_title")
    if not isinstance(title, str) or not title:
        raise EntryError("schema_title is missing; set it to the title of the schema that it takes")
    return Entry(
        key=key,
        pattern=pattern,
        schema_title=title,
        message_key_fields=_message_key_fields(table),
        header_fields=_header_fields(table),
        settings=table,
        privacy=_privacy(table),
        enrich_useragent=_flag(table, "enrich_useragent"),
    )


def _message_key_fields(settings: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    fields = _table(settings.get("message_key_fields"), "message_key_fields is", optional=True)
    for name, path in fields.items():
        if not _is_path(name) or not _is_path(path):
            raise EntryError(
                f"message_key_fields.{shown(name)} is no pair of a key's name and a field like "
                "page.page_id"
            )
        if any(other.startswith(f"{name}.") for other in fields):
            raise EntryError(f"message_key_fields.{name} is both a value and an object")
    return tuple((name, tuple(path.split("."))) for name, path in fields.items())


def _header_fields(settings: Mapping[str, Any]) -> dict[str, str | None]:
    producers = settings.get("producers")
    if isinstance(producers, list):  # who may write: `_producers` reads it
        producers = None
    producers = _table(producers, "producers is", optional=True)
    eventgate = _table(producers.get("eventgate"), "producers.eventgate is", optional=True)
    name = "enrich_fields_from_http_headers"
    headers: dict[str, str | None] = {}
    for holder, where in ((eventgate, f"producers.eventgate.{name}"), (settings, name)):
        for path, header in _table(holder.get(name), f"{where} is", optional=True).items():
            if not _is_path(path):
                raise EntryError(f"{where}: {shown(path)} is no field like http.request_headers.x")
            if header is False:
                headers[path] = None
            elif isinstance(header, str) and header.lower() in SECRET_HEADERS:
                raise EntryError(f"{where}.{path}: credentials are never stored in events")
            elif isinstance(header, str) and _HEADER.fullmatch(header):
                headers[path] = header.lower()
            else:
                raise EntryError(f"{where}.{path} is neither the name of a header nor false")
    return headers


def _producers(settings: Mapping[str, Any]) -> Producers | None:
    # MediaWiki has a mapping here, of what each kind of producer is told; a list is ours alone.
    value = settings.get("producers")
    where = "producers"
    if isinstance(value, dict):
        value = value.get("sluiceway")
        where = "producers.sluiceway"
    if value is None:
        return None
    try:
        return Producers.parse(value)
    except ProducersError as error:
        raise EntryError(f"{where} {error}") from error


def _privacy(settings: Mapping[str, Any]) -> Privacy:
    table = _table(settings.get("privacy"), "privacy is", optional=True)
    try:
        return Privacy.parse(table)
    except PrivacyError as error:
        raise EntryError(str(error)) from error


def _flag(settings: Mapping[str, Any], name: str) -> bool:
    value = settings.get(name, False)
    if isinstance(value, bool):
        return value
    raise EntryError(f"{name} is neither true nor false")


def _table(value: Any, what: str, *, optional: bool = False) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == [] or (optional and value is None):
        return {}  # PHP writes an empty mapping as []
    raise EntryError(f"{what} no mapping")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and all(value.split("."))

"""Stream configurations: the table of streams, by exact name and then by regex."""

from collections.abc import Iterable, KeysView, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from app.core.errors import ConfigError, SchemaNotAllowed, UnknownStream
from app.streams.entries import Entry, EntryError, entries_of, name_problem, shown, topic_of
from app.streams.privacy import NO_PRIVACY, Privacy
from app.streams.producers import Producers
from app.streams.suggestions import Suggestions

MAX_CONCRETE = 10_000

NO_FIELDS: Mapping[str, str | None] = {}
NO_STREAMS: Mapping[str, Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Stream:
    """What one stream takes, and where its events go.

    `message_key_fields` are pairs of a name in the key and the path of a field of the event.
    `header_fields` maps dotted paths to lower-case header names, None: explicitly not collected.
    `enrich_useragent`: what the user agent says is set, taken apart. `settings` are as configured.
    `producers` are those who may write; None: everybody.
    """

    name: str
    topic: str
    schema_title: str
    message_key_fields: tuple[tuple[str, tuple[str, ...]], ...]
    header_fields: Mapping[str, str | None]
    settings: Mapping[str, Any]
    privacy: Privacy = NO_PRIVACY
    enrich_useragent: bool = False
    producers: Producers | None = None

    def check_allows(self, title: str | None) -> None:
        """Check that the stream takes events of the schema with that title; or SchemaNotAllowed."""
        if title == self.schema_title:
            return
        got = f"a schema with the title {title}" if title else "a schema without a title"
        raise SchemaNotAllowed(
            f"Stream {self.name} takes events of the schema {self.schema_title}, not of {got}.",
            pointer="/$schema",
            expected=f"a version of {self.schema_title}",
            got=got,
            hint=f"Set $schema to /{self.schema_title}/ and a version, or meta.stream to a stream "
            "that takes your schema.",
        )


class StreamConfigs:
    """All streams of one configuration; never changes what it says.

    Remembers at most 10,000 of the streams that its regexes were asked for, the recent ones.
    `problems` are those of entries that were left out.
    """

    def __init__(
        self, entries: Iterable[Entry], topic_prefix: str, problems: Iterable[str] = ()
    ) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self._topic_prefix = topic_prefix
        self._exact = {
            entry.key: self._stream(entry, entry.key)
            for entry in self._entries.values()
            if entry.pattern is None
        }
        self._patterns = [
            (entry.pattern, entry) for entry in self._entries.values() if entry.pattern
        ]
        # Two generations: when the young one is full, the old one is forgotten.
        self._young: dict[str, Stream] = {}
        self._old: dict[str, Stream] = {}
        self._suggestions = Suggestions(self._exact)
        self.problems = tuple(problems)

    @classmethod
    def parse(
        cls,
        value: Any,
        *,
        topic_prefix: str = "",
        header_fields: Mapping[str, str | None] = NO_FIELDS,
        extra: Mapping[str, Mapping[str, Any]] = NO_STREAMS,
        strict: bool = True,
    ) -> Self:
        """Make the table of a configuration's value; raises ConfigError with all problems.

        `header_fields` hold for every stream that does not say otherwise; `extra` are streams that
        exist unless the configuration has them. Not `strict`: entries with a problem are left out,
        and it is an error only if nothing is left.
        """
        try:
            found = list(entries_of(value, topic_prefix))
        except EntryError as error:
            raise ConfigError(str(error)) from error
        entries = [item for item in found if isinstance(item, Entry)]
        problems = [item for item in found if isinstance(item, str)]
        if problems and (strict or not entries):
            raise ConfigError(*problems)
        if not entries:
            raise ConfigError("it configures no stream")
        known = {entry.key for entry in entries}
        missing = {name: dict(extra[name]) for name in extra if name not in known}
        for item in entries_of(missing, topic_prefix):
            if isinstance(item, str):
                raise ConfigError(item)
            entries.append(item)
        whole = [
            replace(entry, header_fields={**header_fields, **entry.header_fields})
            for entry in entries
        ]
        return cls(whole, topic_prefix, problems)

    def get(self, name: str) -> Stream:
        """Return the stream of that name, else of the first regex found in it; or UnknownStream."""
        return self._exact.get(name) or self._young.get(name) or self._recalled(name)

    def settings_of(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return what is configured for streams, for all if none are named.

        Names are of streams or configured regexes; unknown ones are left out. Changes nothing.
        """
        if names is None:
            return {key: entry.settings for key, entry in self._entries.items()}
        found = {}
        for name in names:
            entry = self._entries.get(name) or self._matching(name)
            if entry:
                found[name] = entry.settings
        return found

    @property
    def names(self) -> KeysView[str]:
        """The streams that are configured by name, in order."""
        return self._exact.keys()

    @property
    def have_producers(self) -> bool:
        """Whether any of them names who may write to it."""
        return any(entry.producers for entry in self._entries.values())

    def __len__(self) -> int:
        """Return how many names and regexes are configured."""
        return len(self._entries)

    def _recalled(self, name: str) -> Stream:
        stream = self._old.get(name)
        if stream is None:
            entry = self._matching(name)
            if entry is None:
                raise self._unknown(name)
            stream = self._stream(entry, name)
        if len(self._young) >= MAX_CONCRETE // 2:
            self._old, self._young = self._young, {}
        self._young[name] = stream
        return stream

    def _matching(self, name: str) -> Entry | None:
        if not self._patterns or name_problem(name, self._topic_prefix):
            return None
        return next((entry for pattern, entry in self._patterns if pattern.search(name)), None)

    def _stream(self, entry: Entry, name: str) -> Stream:
        return Stream(
            name=name,
            topic=topic_of(name, self._topic_prefix),
            schema_title=entry.schema_title,
            message_key_fields=entry.message_key_fields,
            header_fields=entry.header_fields,
            settings=entry.settings,
            privacy=entry.privacy,
            enrich_useragent=entry.enrich_useragent,
            producers=entry.producers,
        )

    def _unknown(self, name: str) -> UnknownStream:
        problem = name_problem(name, self._topic_prefix)
        if problem:
            return UnknownStream(
                f"There can be no stream {shown(name)}: {problem}.",
                pointer="/meta/stream",
                expected="the name of a configured stream",
                got=shown(name),
                hint="Set meta.stream to one of those that GET /v1/stream-configs lists.",
            )
        close = self._suggestions.of(name)
        meant = f"Did you mean {close}? " if close else ""
        return UnknownStream(
            f"No stream {shown(name)} is configured.",
            pointer="/meta/stream",
            expected="the name of a configured stream",
            got=shown(name),
            hint=f"{meant}GET /v1/stream-configs lists the streams that there are.",
        )

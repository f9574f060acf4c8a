"""The rules that a mapping file states: names, patterns, pins. Every problem is told at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from legacy.capsule import SCHEMA_NAME
from legacy.errors import MappingError

LATEST = "latest"

_VERSION = re.compile(r"latest|[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?")
_REVISION = re.compile(r"-?[0-9]{1,18}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("schema", "schema_lower", "version")
_URI = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_STREAM = re.compile(r"[A-Za-z0-9._-]{1,249}")
# A name that nobody listed becomes part of a URI only if it is one harmless segment of a path.
_STRANGER = re.compile(r"[a-zA-Z0-9_-][.a-zA-Z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """What an old schema means now."""

    schema_uri: str
    stream: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """How targets are made of names: `{schema}`, `{schema_lower}` and `{version}` stand in it."""

    schema_uri: str = "/analytics/legacy/{schema_lower}/{version}"
    stream: str = "eventlogging_{schema}"
    version: str = LATEST

    def of(self, schema_name: str) -> Target:
        """Return the target of a name that an operator wrote."""
        facts = {
            "schema": schema_name,
            "schema_lower": schema_name.lower(),
            "version": self.version,
        }
        return Target(self.schema_uri.format(**facts), self.stream.format(**facts))

    def of_stranger(self, schema_name: str) -> Target | None:
        """Return the target of a name that a client sent, None if it could lead astray."""
        return self.of(schema_name) if _STRANGER.fullmatch(schema_name) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one listed name means, and what it means at the revisions that are pinned."""

    target: Target
    revisions: dict[int, Target] = field(default_factory=dict)

    def at(self, revision: int | None) -> Target:
        """Return what the name means at a revision; None: at none that is known."""
        return self.target if revision is None else self.revisions.get(revision, self.target)


class Rules(NamedTuple):
    """Everything that a mapping file says."""

    entries: dict[str, Entry]
    others: Pattern | None


def rules_of(value: Any) -> Rules:
    """Return the rules that a mapping file's value states; raises MappingError."""
    reader = _Reader()
    rules = reader.rules(value)
    if reader.problems:
        raise MappingError(*reader.problems)
    return rules


class _Reader:
    """Reads a mapping's parts one by one; remembers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def rules(self, value: Any) -> Rules:
        top = self._table("", value, ("schemas", "others", "defaults"))
        defaults = self._pattern(
            "defaults", self._table("defaults", top.get("defaults", {}), ("schema_uri", "stream"))
        )
        entries = {}
        for name, stated in self._table("schemas", top.get("schemas", {})).items():
            where = f"schemas.{name}"
            if SCHEMA_NAME.fullmatch(str(name)):
                entries[str(name)] = self._entry(where, str(name), stated, defaults)
            else:
                self._problem(where, "no client can send a schema name like that")
        others = None
        if "others" in top:
            others = self._rule("others", top["others"], defaults)
            for name in ("A" * 63, "a"):
                self._target("others", others, name)
        if not self.problems and "schemas" not in top and others is None:
            self._problem("", "it maps nothing; list names under schemas, or say what others mean")
        return Rules(entries, others)

    def _entry(self, where: str, name: str, stated: Any, defaults: Pattern) -> Entry:
        revisions = {}
        if isinstance(stated, dict) and "revisions" in stated:
            stated = dict(stated)
            revisions = self._table(f"{where}.revisions", stated.pop("revisions"))
        pattern = self._rule(where, stated, defaults, also=("revisions",))
        target = self._target(where, pattern, name)
        pins: dict[int, Target] = {}
        for key, pin in revisions.items():
            at = f"{where}.revisions.{key}"
            if isinstance(key, bool | float) or not _REVISION.fullmatch(str(key)):
                self._problem(at, "a revision is a whole number")
            elif int(key) in pins:
                self._problem(at, "this revision is pinned twice")
            else:
                base = pattern if "{version}" in pattern.schema_uri else defaults
                base = replace(base, stream=pattern.stream)
                pins[int(key)] = self._target(at, self._short(at, pin, base), name)
        return Entry(target, pins)

    def _rule(
        self, where: str, stated: Any, defaults: Pattern, also: tuple[str, ...] = ()
    ) -> Pattern:
        """Read what a name means: a version, a schema URI, or a table of these and a stream."""
        if not isinstance(stated, dict):
            return self._short(where, stated, defaults)
        table = self._table(where, stated, ("schema_uri", "version", "stream", *also))
        pattern = self._pattern(where, table, defaults)
        if "version" not in table:
            return pattern
        return self._versioned(f"{where}.version", table["version"], pattern)

    def _short(self, where: str, stated: Any, base: Pattern) -> Pattern:
        if isinstance(stated, str) and stated.startswith("/"):
            return replace(base, schema_uri=self._template(where, stated, base.schema_uri))
        return self._versioned(where, stated, base)

    def _versioned(self, where: str, version: Any, pattern: Pattern) -> Pattern:
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            self._problem(
                where,
                f"{_shown(version)} is no version; write latest, or three numbers like 1.2.0, "
                "or a schema URI that begins with /",
            )
            return pattern
        if "{version}" not in pattern.schema_uri:
            self._problem(
                where, f"the version has no place in {pattern.schema_uri}; put {{version}} there"
            )
        return replace(pattern, version=version)

    def _pattern(self, where: str, table: dict[Any, Any], base: Pattern | None = None) -> Pattern:
        base = base or Pattern()
        stated = {
            key: self._template(f"{where}.{key}", table[key], getattr(base, key))
            for key in ("schema_uri", "stream")
            if key in table
        }
        return replace(base, **stated)

    def _template(self, where: str, text: Any, instead: str) -> str:
        if not isinstance(text, str) or not text:
            self._problem(where, f"{_shown(text)} is no text")
            return instead
        strange = [name for name in _PLACEHOLDER.findall(text) if name not in _PLACEHOLDERS]
        for name in strange:
            self._problem(where, f"there is no {{{name}}}{_meant(name, _PLACEHOLDERS)}")
        if re.search("[{}]", _PLACEHOLDER.sub("", text)):
            self._problem(where, f"{_shown(text)} has a brace without its partner")
            return instead
        return instead if strange else text

    def _target(self, where: str, pattern: Pattern, name: str) -> Target:
        target = pattern.of(name)
        if not _URI.fullmatch(target.schema_uri):
            self._problem(
                where,
                f"{_shown(target.schema_uri)} is no schema URI; write a path like /my/schema/1.0.0",
            )
        if not _STREAM.fullmatch(target.stream):
            self._problem(
                where,
                f"{_shown(target.stream)} cannot be a stream; name one with stream, "
                "of letters, digits, '.', '_' and '-'",
            )
        return target

    def _table(self, where: str, value: Any, known: Iterable[str] = ()) -> dict[Any, Any]:
        """Return a table; with `known`, one that has no other keys."""
        if not isinstance(value, dict):
            self._problem(where, f"{_shown(value)} is no table of keys and values")
            return {}
        for key in value:
            if known and key not in known:
                self._problem(where, f"there is no {key}{_meant(key, known)}")
        return value

    def _problem(self, where: str, what: str) -> None:
        problem = f"{where}: {what}" if where else what
        if problem not in self.problems:
            self.problems.append(problem)


def _meant(name: Any, known: Iterable[str]) -> str:
    """Say what may have been meant by a name that is not known."""
    close = get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return repr(value)[:80]

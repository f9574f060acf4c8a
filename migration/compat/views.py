"""What one or several schemas together say about one value, as `reading` found it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.schemas.bundle import Bundle
from migration.compat import kinds
from migration.compat.leaves import takes

Pattern = tuple[bool, str]
"""Whether the old system's engine reads it, and the regular expression."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A schema within a bundle. `old`: it is judged as the old system did.

    `certain`: it judges its value in any case, so its defaults are filled. `fills`: there are
    defaults somewhere in the bundle.
    """

    schema: Any
    bundle: Bundle
    old: bool = False
    certain: bool = True
    fills: bool = False

    def inner(self, schema: Any) -> "Part":
        """Return a schema that judges a part of this one's value."""
        return replace(self, schema=schema)

    def asked(self, schema: Any) -> "Part":
        """Return a schema that is only asked whether it takes this one's value."""
        return replace(self, schema=schema, certain=False)


Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """The properties that one schema speaks of; `additional` None: it says nothing of others."""

    properties: dict[str, Part]
    patterns: dict[Pattern, Part]
    additional: Part | None

    def judging(self, name: str) -> list[Part]:
        """Return the schemas that judge the property of a name."""
        matched = [p for (old, text), p in self.patterns.items() if matches((old, text), name)]
        named = [self.properties[name]] if name in self.properties else []
        return named + matched or self._others()

    def judging_unnamed(self, matching: Iterable[Pattern]) -> list[Part]:
        """Return the schemas for a name that is not listed and matches just these patterns."""
        return [p for key, p in self.patterns.items() if key in matching] or self._others()

    def _others(self) -> list[Part]:
        return [self.additional] if self.additional is not None else []


@dataclass(frozen=True, slots=True)
class ArrayRule:
    """The items that one schema speaks of: the first ones by position, and the rest."""

    first: list[Part]
    rest: Part | None

    def judging(self, position: int) -> list[Part]:
        """Return the schemas that judge the item at a position."""
        if position < len(self.first):
            return [self.first[position]]
        return [self.rest] if self.rest is not None else []


@dataclass(frozen=True, slots=True)
class Choice:
    """An anyOf, a oneOf or a not; `key` tells it from others."""

    keyword: str
    branches: Parts
    key: tuple[int, str]


@dataclass(slots=True)
class View:
    """All that schemas say about one value. Made by `view_of`, and not changed afterwards.

    `options` are the values that an enum or const leaves, not judged by the rest; None: any.
    """

    parts: Parts
    kinds: frozenset[str] = kinds.ALL
    options: list[Any] | None = None
    low: tuple[Any, bool] | None = None
    high: tuple[Any, bool] | None = None
    multiples: list[tuple[bool, Any]] = field(default_factory=list)
    min_length: int = 0
    max_length: int | None = None
    patterns: list[Pattern] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    arrays: list[ArrayRule] = field(default_factory=list)
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    contains: list[Part] = field(default_factory=list)
    objects: list[ObjectRule] = field(default_factory=list)
    min_properties: int = 0
    max_properties: int | None = None
    required: dict[str, None] = field(default_factory=dict)
    names: list[Part] = field(default_factory=list)
    dependencies: list[tuple[str, list[str] | Part]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    leaves: list[tuple[bool, str, Any]] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    fills_items: bool = False

    def child(self, name: str) -> Parts:
        """Return the schemas that judge a property."""
        return tuple(part for rule in self.objects for part in rule.judging(name))

    def unnamed(self, matching: Iterable[Pattern]) -> Parts:
        """Return the schemas of a property that is not listed and matches these patterns."""
        return tuple(part for rule in self.objects for part in rule.judging_unnamed(matching))

    def item(self, position: int) -> Parts:
        """Return the schemas that judge an item."""
        return tuple(part for rule in self.arrays for part in rule.judging(position))

    @property
    def listed(self) -> dict[str, None]:
        """The names of the properties that are listed or required, in their order."""
        listed = {name: None for rule in self.objects for name in rule.properties}
        return listed | self.required

    @property
    def all_patterns(self) -> set[Pattern]:
        """The patterns of names."""
        return {pattern for rule in self.objects for pattern in rule.patterns}

    @property
    def positions(self) -> int:
        """How many of the first items have schemas of their own."""
        return max((len(rule.first) for rule in self.arrays), default=0)

    @property
    def is_open(self) -> bool:
        """Whether properties that are not listed are meant to be there.

        An object that lists none, or says what others look like, is a map.
        """
        described = any(
            rule.patterns or (rule.additional is not None and rule.additional.schema is not True)
            for rule in self.objects
        )
        return described or not any(rule.properties for rule in self.objects)


def matches(pattern: Pattern, text: str) -> bool:
    """Say whether a pattern is found in a text."""
    return takes("pattern", pattern[1], text, old=pattern[0])

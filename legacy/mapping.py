"""The mapping: which schema and which stream an old schema's name and revision mean."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from legacy.errors import LegacyError, MappingError
from legacy.mappingfile import read_mapping
from legacy.mappingrules import Entry, Pattern, Target, rules_of

__all__ = ["Mapping", "MappingError", "Target"]


@dataclass(frozen=True, slots=True)
class Mapping:
    """What old schema names mean. Empty, it knows none.

    `entries` are the names that are listed, `others` what every other name means, if anything.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    others: Pattern | None = None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a mapping file (YAML or JSON); raises MappingError with every problem."""
        try:
            return cls.parse(read_mapping(path))
        except MappingError as error:
            problems = [f"{path}: {problem}" for problem in error.problems]
            raise MappingError(*problems) from error

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Make a mapping of what its file holds; raises MappingError with every problem."""
        rules = rules_of(value)
        return cls(rules.entries, rules.others)

    @property
    def targets(self) -> list[Target]:
        """Every target that a listed name can have, for checks at start."""
        return [
            target
            for entry in self.entries.values()
            for target in (entry.target, *entry.revisions.values())
        ]

    def target(self, schema_name: str, revision: int | None) -> Target:
        """Return what a schema's name means at a revision; raises LegacyError.

        A revision that is not pinned means what the name means.
        """
        entry = self.entries.get(schema_name)
        if entry:
            return entry.at(revision)
        if self.others and (target := self.others.of_stranger(schema_name)):
            return target
        raise LegacyError(
            f"The mapping does not say what the old schema {schema_name} means now.",
            reason="unmapped_schema",
            pointer="/schema",
            expected="a schema name that the mapping file lists",
            got=schema_name,
            hint=self._hint(schema_name),
        )

    def _hint(self, schema_name: str) -> str:
        for name in self.entries:
            if name.lower() == schema_name.lower():
                return f"The mapping lists {name}; upper and lower case matter."
        return "List the name in the mapping file, under schemas."

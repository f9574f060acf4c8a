"""Exceptions: which schemas need not keep which rules, by a file of the repository."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any

from app.core.errors import ConfigError
from app.core.yaml import YamlError, parse_yaml
from migration.linting.finding import Finding
from migration.linting.linter import NAMES

FILE = ".sluiceway-lint.yaml"

# What the rules are called by jsonschema-tools; its other rules are none of lint's.
_ELSEWHERE = {
    "schema-is-valid": "valid",
    "schema-is-secure": "secure",
    "schema-snake-case-properties": "snake-case",
    "schema-monomorphic-types": "one-type",
    "schema-deterministic-types": "one-type",
    "schema-required-properties-exist": "required-exists",
    "schema-examples-$schema-matches-schema-$id": "examples-schema",
    "schema-examples-are-valid": "examples-valid",
    "schema-enforced-numeric-bounds": "numeric-bounds",
}


@dataclass(frozen=True, slots=True)
class Except:
    """Schemas, by a pattern that is searched in their URIs, and the rules they need not keep."""

    written: str
    pattern: re.Pattern[str]
    rules: frozenset[str]

    def allows(self, finding: Finding) -> bool:
        """Say whether a finding is one that was decided to be lived with."""
        return finding.rule in self.rules and any(map(self.pattern.search, finding.names))


def load_exceptions(path: Path) -> list[Except]:
    """Read a file of exceptions; raises ConfigError.

    It has `exceptions`, or is the configuration of jsonschema-tools with `skipSchemaTestCases`.
    """
    try:
        value = parse_yaml(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except YamlError as error:
        raise ConfigError(f"{path} is {error}.") from error
    try:
        if isinstance(value, dict) and "skipSchemaTestCases" in value:
            return list(_elsewhere(value["skipSchemaTestCases"]))
        return list(_ours(value))
    except (TypeError, ValueError, re.error) as error:
        raise ConfigError(f"{path}: {error}.") from error


def unused(exceptions: Sequence[Except], findings: Sequence[Finding]) -> list[str]:
    """Return the exceptions that no finding needs: they could be taken out."""
    return [
        one.written
        for one in exceptions
        if one.rules and not any(one.allows(finding) for finding in findings)
    ]


def _ours(value: Any) -> Iterator[Except]:
    if not isinstance(value, dict) or set(value) != {"exceptions"}:
        raise ValueError("it has to be an object with exceptions, and nothing else")
    entries = value["exceptions"]
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, dict) or set(entry) != {"schemas", "rules", "because"}:
            raise ValueError(f"an exception has schemas, rules and because, not {entry}")
        schemas, rules, because = entry["schemas"], entry["rules"], entry["because"]
        if not isinstance(schemas, str) or not schemas.startswith("/"):
            raise ValueError(f"schemas is a URI that may have *, such as /shop/*, not {schemas!r}")
        if not isinstance(because, str) or not because.strip():
            raise ValueError(f"the exception for {schemas} does not say why; write because")
        if not isinstance(rules, list) or not set(rules) <= set(NAMES):
            raise ValueError(f"the rules of {schemas} have to be some of {', '.join(NAMES)}")
        yield Except(schemas, re.compile(rf"\A(?:{translate(schemas)})"), frozenset(rules))


def _elsewhere(value: Any) -> Iterator[Except]:
    if not isinstance(value, dict):
        raise TypeError("skipSchemaTestCases has to be an object")
    for pattern, rules in value.items():
        if not isinstance(rules, list):
            raise TypeError(f"the rules of {pattern} have to be a list")
        known = frozenset(_ELSEWHERE[rule] for rule in rules if rule in _ELSEWHERE)
        yield Except(pattern, re.compile(pattern), known)

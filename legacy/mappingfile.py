"""The mapping file's text: YAML or JSON, every scalar as the operator wrote it."""

import json
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml

from legacy.errors import MappingError


def read_mapping(path: str | Path) -> Any:
    """Return what a mapping file holds; raises MappingError."""
    try:
        return parse_text(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise MappingError(f"The file cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"The file is not UTF-8 at byte {error.start}.") from error


def parse_text(text: str) -> Any:
    """Return what a YAML or JSON text holds; raises MappingError.

    YAML scalars stay text: 1.30 is not 1.3, `on` not true. A key given twice is a problem.
    """
    if text.lstrip().startswith("{"):
        twice: set[str] = set()
        try:
            value = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, twice))
        except ValueError:
            pass  # a YAML flow mapping begins like that, too
        else:
            _refuse(twice)
            return value
    try:
        loader = _Loader(text)
        value = loader.get_single_data()
    except (yaml.YAMLError, RecursionError) as error:
        raise MappingError(f"The file is not YAML: {' '.join(str(error).split())}.") from error
    _refuse(loader.twice)
    return value


class _Loader(yaml.BaseLoader):
    """Remembers keys that are given twice, of which PyYAML would keep the last in silence."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: set[str] = set()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        value = super().construct_mapping(node, deep=deep)
        if len(value) < len(node.value):
            _once(((key.value, None) for key, _ in node.value), self.twice)
        return value


def _once(pairs: Iterable[tuple[str, Any]], twice: set[str]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            twice.add(str(key))
        value[key] = item
    return value


def _refuse(twice: set[str]) -> None:
    if twice:
        raise MappingError(*(f"The key {key} is given twice." for key in sorted(twice)))

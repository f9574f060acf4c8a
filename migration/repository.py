"""A schema repository on disk: its folders, the files in them, and the lines of what they say."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from app.core.yaml import YamlError, parse_yaml
from app.schemas.keywords import Path as Steps
from app.schemas.repository import Document
from app.schemas.uris import EXTENSIONS, LATEST, is_version
from migration.layout import CURRENT

_LINK = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.(?:yaml|yml|json))\s*")
_MAX_LINK = 256
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableSchema(ValueError):
    """A file is no schema; the message says why, `line` where if that is known."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands in a text. Lines count from 1, columns from 0.

    `line` is that of the key for what has one; `start` and `end` bound the value itself.
    """

    line: int
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A file that holds a schema, and the schema."""

    path: Path
    text: str
    document: Document

    def spot(self, steps: Steps) -> Spot:
        """Return where a value stands, or the innermost one around it that is in this file."""
        spots, _ = _spots_of(self.text)
        while steps not in spots and steps:
            steps = steps[:-1]
        return spots[steps]

    def has(self, steps: Steps) -> bool:
        """Say whether this file itself has a value at a path."""
        return steps in _spots_of(self.text)[0]

    @property
    def twice(self) -> list[tuple[Steps, int]]:
        """The keys that an object has more than once, with the line of each repetition."""
        return _spots_of(self.text)[1]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of one schema: its title, the file people write, the versions that are released.

    `released` maps versions to their files, the newest last.
    """

    path: Path
    title: str
    current: Path | None
    released: dict[str, Path]

    @property
    def newest(self) -> str | None:
        """The newest version that is released."""
        return next(reversed(self.released), None)


def order_of(version: str) -> tuple[int, ...]:
    """Return what versions are compared by."""
    return tuple(map(int, version.split(".")))


def load_file(path: Path) -> SchemaFile:
    """Read a schema; raises UnreadableSchema."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableSchema(f"it is not UTF-8: {error.reason}") from error
    except OSError as error:
        raise UnreadableSchema(f"it cannot be read: {error.strerror}") from error
    try:
        document = parse_yaml(text)
    except YamlError as error:
        said = re.search(r"line (\d+), column \d+(?!.*line \d)", str(error))
        raise UnreadableSchema(f"it is {error}", int(said[1]) if said else 1) from error
    if not isinstance(document, dict):
        raise UnreadableSchema("it is no object, so it is no schema")
    return SchemaFile(path, text, document)


def link_target(path: Path) -> str | None:
    """Return what a link leads to, None if there is no link.

    Where links cannot be made, a file whose whole text is the name of another stands for one.
    """
    if path.is_symlink():
        return str(path.readlink())
    if not path.is_file() or path.stat().st_size > _MAX_LINK:
        return None
    match = _LINK.fullmatch(path.read_text(encoding="utf-8", errors="replace"))
    return match[1] if match else None


def folders_of(repository: Path) -> list[Folder]:
    """Return the folders that hold schemas, by title. Hidden folders are passed over."""
    return sorted(_folders(repository), key=lambda folder: folder.title)


def _folders(repository: Path) -> Iterator[Folder]:
    for place, inner, files in os.walk(repository):
        inner[:] = [name for name in inner if not name.startswith(".")]
        path = Path(place)
        released = _released(path, files)
        current = path / CURRENT if CURRENT in files else None
        if current or released:
            yield Folder(path, path.relative_to(repository).as_posix(), current, released)


def _released(folder: Path, files: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for extension in (*EXTENSIONS, ""):
        for name in files:
            version = name.removesuffix(extension)
            if not name.endswith(extension) or version in found or not is_version(version):
                continue
            if extension or link_target(folder / name) is None:
                found[version] = folder / name
    return {version: found[version] for version in sorted(found, key=order_of)}


def links_of(folder: Folder, version: str | None = None) -> dict[str, str]:
    """Return the links that a folder has to have: their names, and the names that they lead to.

    `version` is one that is about to be released as well.
    """
    files = {one: path.name for one, path in folder.released.items()}
    if version is not None:
        files.setdefault(version, f"{version}.yaml")
    links = {one: name for one, name in files.items() if one != name}
    if not files:
        return links
    newest = files[max(files, key=order_of)]
    links[LATEST] = newest
    for extension in EXTENSIONS:  # some tools make these too; they must not grow stale
        if link_target(folder.path / f"{LATEST}{extension}") is not None:
            links[f"{LATEST}{extension}"] = newest
    return links


@lru_cache(maxsize=16)
def _spots_of(text: str) -> tuple[dict[Steps, Spot], list[tuple[Steps, int]]]:
    spots: dict[Steps, Spot] = {}
    twice: list[tuple[Steps, int]] = []

    def walk(node: yaml.Node, steps: Steps, line: int) -> None:
        start, end = node.start_mark, node.end_mark
        spots[steps] = Spot(line, (start.line, start.column), (end.line, end.column))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*steps, str(key.value))
                if inner in spots:
                    twice.append((inner, key.start_mark.line + 1))
                walk(value, inner, key.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                walk(value, (*steps, index), value.start_mark.line + 1)

    node = yaml.compose(text, Loader=_Loader)
    assert node is not None  # a schema was read from it
    walk(node, (), node.start_mark.line + 1)
    return spots, twice

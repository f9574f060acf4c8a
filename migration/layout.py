"""Where a schema stands in a repository: its title, its URI, its files and versions."""

import re
from dataclasses import dataclass
from pathlib import Path

from app.schemas.uris import is_version

PREFIX = "analytics/legacy"
CURRENT = "current.yaml"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_-]{0,62}")


class LayoutError(ValueError):
    """A schema has no place in a repository; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the schema that replaces an on-wiki one belongs, at one version."""

    name: str
    version: str

    @property
    def title(self) -> str:
        return f"{PREFIX}/{self.name.lower()}"

    @property
    def uri(self) -> str:
        return f"/{self.title}/{self.version}"

    @property
    def stream(self) -> str:
        """The stream of its events, which keeps the old spelling: consumers know it as a topic."""
        return f"eventlogging_{self.name}"

    @property
    def current(self) -> Path:
        """The file that people write, relative to the repository."""
        return Path(self.title) / CURRENT


def place_of(name: str, version: str) -> Place:
    """Return the place of an on-wiki schema's successor; raises LayoutError."""
    if not _NAME.fullmatch(name):
        raise LayoutError(
            f"{name!r} cannot be a folder and a part of URIs: a name has up to 63 letters, digits, "
            "_ and -. Give another with --name"
        )
    if not is_version(version):
        raise LayoutError(f"{version!r} is no version; write three numbers, like 1.0.0")
    return Place(name, version)


def released_versions(repository: Path, place: Place) -> list[str]:
    """Return the versions of a schema that are released, the newest last."""
    folder = repository / place.title
    found = {file.stem for file in folder.glob("*.yaml")} | {file.name for file in folder.glob("*")}
    return sorted(filter(is_version, found), key=lambda text: tuple(map(int, text.split("."))))

"""Converting many schemas into one repository: what came of each, and which files changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migration.conversion.capsule import OURS, Capsule
from migration.conversion.document import Conversion, convert
from migration.conversion.edits import EditError
from migration.conversion.files import Change, write_file
from migration.conversion.nodes import ConversionError
from migration.conversion.options import Options
from migration.conversion.registers import Register, mapped, streamed
from migration.conversion.yamltext import yaml_of
from migration.layout import CURRENT, LayoutError, Place, place_of, released_versions
from migration.onwiki import OnWikiSchema


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one source. Without a conversion, a problem says why there is none.

    With one, a problem says what else could not be done.
    """

    source: str
    conversion: Conversion | None = None
    changes: tuple[tuple[Path, Change], ...] = ()
    problem: str | None = None


@dataclass(slots=True)
class Batch:
    """Converts schemas one by one; remembers which places are taken.

    `mapping` and `streams` are files that list each schema, where given. Nothing is written in a
    `dry_run`.
    """

    repository: Path
    options: Options
    capsule: Capsule
    mapping: Path | None = None
    streams: Path | None = None
    overwrite: bool = False
    dry_run: bool = False
    _taken: dict[str, str] = field(default_factory=dict)

    def run(self, sources: Iterable[OnWikiSchema], example: Any = None) -> Iterator[Result]:
        """Yield a result for each source, in order."""
        for old in sources:
            yield self._result(old, example)

    def write_capsule(self) -> tuple[Path, Change]:
        """Write a capsule fragment of ours into the repository, to be released from there."""
        folder = self.capsule.uri.lstrip("/").rpartition("/")[0]
        path = self.repository / folder / CURRENT
        return path, write_file(path, OURS.read_text())

    def _result(self, old: OnWikiSchema, example: Any) -> Result:
        try:
            place = self._place(old)
            conversion = convert(old, place, self.options, self.capsule, example)
            if self.dry_run:
                return Result(old.source, conversion)
            changes = [self._write(conversion)]
        except (ConversionError, LayoutError) as error:
            return Result(old.source, problem=str(error))
        except OSError as error:
            return Result(old.source, problem=_of_system(error))
        problem = None
        try:
            for path, register in ((self.mapping, mapped), (self.streams, streamed)):
                if path:
                    changes.append(_registered(path, register, place))
        except EditError as error:
            problem = f"{path}: {error}"
        except (OSError, UnicodeDecodeError) as error:
            problem = _of_system(error)
        return Result(old.source, conversion, tuple(changes), problem)

    def _place(self, old: OnWikiSchema) -> Place:
        if old.name is None:
            raise LayoutError("nobody says what the schema is called; give its name with --name")
        place = place_of(old.name, self.options.version)
        first = self._taken.setdefault(place.title, old.source)
        if first != old.source:
            raise LayoutError(f"{first} became {place.title} already")
        return place

    def _write(self, conversion: Conversion) -> tuple[Path, Change]:
        place = conversion.place
        path = self.repository / place.current
        text = yaml_of(conversion.document)
        if path.is_file() and path.read_text() == text:
            return path, "unchanged"
        if place.version in released_versions(self.repository, place):
            raise LayoutError(
                f"{place.uri} is released, and what is released never changes; convert it to "
                "another --version"
            )
        if path.is_file() and not self.overwrite:
            raise LayoutError(
                f"{path} says something else, and may have been written by hand; --overwrite "
                "replaces it"
            )
        return path, write_file(path, text)


def _registered(path: Path, register: Register, place: Place) -> tuple[Path, Change]:
    before = path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
    after = register(before, place)
    return path, "unchanged" if after == before else write_file(path, after)


def _of_system(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"a file is not UTF-8 at byte {error.start}"
    return f"{error.filename}: {error.strerror or error}"

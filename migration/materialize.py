"""The released form of a schema: what people wrote in current.yaml, whole, merged and bounded."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.core.errors import SchemaNotFound
from app.schemas.keywords import walk
from app.schemas.repository import Document
from app.schemas.uris import canonical_uri, is_version, name_of, parent_of
from migration.materializemerge import alike, merged
from migration.materializerefs import Find, MaterializeError, dereferenced
from migration.materializeuse import problem_of
from migration.repository import Folder, UnreadableSchema, folders_of, load_file

SAFE = 9_007_199_254_740_991
"""The largest integer up to which every one is exact in JavaScript."""

_NAMES = ("$id", "$schema", "id")


class Library:
    """Finds the schemas that others refer to: released ones, and those released in the same run.

    `folders` are the repositories, asked in order. Whatever was found is remembered.
    """

    def __init__(self, repositories: Sequence[Path], *, bounded: bool = True) -> None:
        self._released: dict[str, Path] = {}
        self._current: dict[str, Path] = {}
        self._found: dict[str, Document] = {}
        self._under_way: set[str] = set()
        self._bounded = bounded
        for repository in reversed(repositories):
            for folder in folders_of(repository):
                for version, path in folder.released.items():
                    self._released[f"/{folder.title}/{version}"] = path

    def add_unreleased(self, folders: Iterable[Folder]) -> None:
        """Let others refer to versions that are not released yet, but will be."""
        for folder in folders:
            if folder.current is None:
                continue
            with suppress(UnreadableSchema, MaterializeError):
                uri = uri_of(load_file(folder.current).document)
                if parent_of(uri) == f"/{folder.title}":
                    self._current[uri] = folder.current

    def find(self, uri: str) -> Document:
        """Return the released form of a version; raises MaterializeError."""
        if uri not in self._found:
            self._found[uri] = self._loaded(uri)
        return self._found[uri]

    def materialized(self, uri: str, document: Document) -> Document:
        """Return the released form of what a current.yaml says; raises MaterializeError."""
        return materialized(uri, document, self.find, bounded=self._bounded)

    def _loaded(self, uri: str) -> Document:
        path = self._released.get(uri) or self._current.get(uri)
        if path is None:
            raise MaterializeError(f"{uri} is not released in any repository that was named")
        try:
            document = load_file(path).document
        except UnreadableSchema as error:
            raise MaterializeError(f"{uri} cannot be used: {error}") from error
        if uri in self._released:
            return document
        if uri in self._under_way:
            raise MaterializeError(f"{uri} refers back to itself by way of others")
        self._under_way.add(uri)
        try:
            whole = self.materialized(uri, document)
        except MaterializeError as error:
            raise MaterializeError(f"{uri}, not released yet, is broken: {error}") from error
        finally:
            self._under_way.discard(uri)
        problem = problem_of(uri, whole)
        if problem:
            raise MaterializeError(f"{uri}, not released yet, may not be: {problem}")
        return whole


def uri_of(document: Document) -> str:
    """Return the URI of the version that a current.yaml is; raises MaterializeError."""
    own = document.get("$id")
    if not isinstance(own, str):
        raise MaterializeError("it has no $id, which is its URI: /<folder>/<version>")
    try:
        uri = canonical_uri(own)
    except SchemaNotFound as error:
        raise MaterializeError(f"its $id is no URI: {error}", ("$id",)) from error
    if not is_version(name_of(uri)):
        raise MaterializeError(
            f"its $id {own} names no version; write {parent_of(uri)}/1.0.0", ("$id",)
        )
    return uri


def materialized(uri: str, document: Document, find: Find, *, bounded: bool = True) -> Document:
    """Return the released form of a schema; raises MaterializeError.

    There is no reference and, where it can be, no `allOf` in it. Embedded schemas have lost their
    names, by which validators mistake one for another. `bounded` gives numbers without bounds
    those of exact integers.
    """
    try:
        whole = merged(_nameless(dereferenced(uri, document, find)))
    except RecursionError as error:
        raise MaterializeError("it is nested too deeply") from error
    if bounded:
        _bound(whole)
    return whole


def same(released: Document, made: Document) -> bool:
    """Say whether a release is what would be made now.

    Embedded schemas may have names and examples or not, and the release may have examples that a
    tool made up: none of them judges an event.
    """
    one, other = _nameless(released), _nameless(made)
    for document in (one, other):
        for path, schema in walk(document):
            if path:
                schema.pop("examples", None)
    if "examples" not in other:
        one.pop("examples", None)
    return alike(one, other)


def _nameless(document: Document) -> Document:
    whole: Document = _copied(document)
    for path, schema in walk(whole):
        if path:
            for name in _NAMES:
                if isinstance(schema.get(name), str):
                    del schema[name]
    return whole


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _bound(document: Document) -> None:
    for _, schema in walk(document):
        if schema.get("type") not in ("integer", "number"):
            continue
        if "exclusiveMinimum" not in schema:
            schema.setdefault("minimum", -SAFE)
        if "exclusiveMaximum" not in schema:
            schema.setdefault("maximum", SAFE)

"""References replaced by what they lead to: schemas of fixed versions, and parts of this one."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from app.core.errors import SchemaNotFound
from app.schemas.keywords import Path as Steps
from app.schemas.keywords import at, path_of, pointer_of
from app.schemas.repository import Document
from app.schemas.uris import canonical_uri, is_version, name_of

MAX_VALUES = 200_000
MAX_DEPTH = 200

Find = Callable[[str], Document]
"""Takes the canonical URI of a version; returns the document, raises MaterializeError."""


class MaterializeError(ValueError):
    """A schema cannot be made whole. `steps` is the path in its current.yaml, `why` the reason."""

    def __init__(self, why: str, steps: Steps = ()) -> None:
        super().__init__(why)
        self.why = why
        self.steps = steps

    def __str__(self) -> str:
        return f"at #{pointer_of(self.steps)}: {self.why}" if self.steps else self.why


@dataclass(frozen=True, slots=True)
class Origin:
    """The document that a value is in, by its URI."""

    uri: str
    document: Document


def dereferenced(uri: str, document: Document, find: Find) -> Document:
    """Return a copy of a document without references; raises MaterializeError.

    Every object with a text as `$ref` is a reference, also among examples. What stands beside it
    goes before what it leads to.
    """
    whole: Document = _Copier(find).copied(document, Origin(uri, document), (), ())
    return whole


class _Copier:
    def __init__(self, find: Find) -> None:
        self._find = find
        self._left = MAX_VALUES

    def copied(self, value: Any, origin: Origin, steps: Steps, way: tuple[Any, ...]) -> Any:
        """Copy a value. `steps` leads to it in the first document, `way` are references so far."""
        self._left -= 1
        if self._left < 0:
            raise MaterializeError(f"it becomes more than {MAX_VALUES} values", steps[:1])
        if len(steps) > MAX_DEPTH:
            raise MaterializeError(f"it is nested more than {MAX_DEPTH} deep", steps[:1])
        if isinstance(value, list):
            return [self.copied(one, origin, (*steps, i), way) for i, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            return self._replaced(value, reference, origin, steps, way)
        return {key: self.copied(one, origin, (*steps, key), way) for key, one in value.items()}

    def _replaced(
        self,
        value: Mapping[str, Any],
        reference: str,
        origin: Origin,
        steps: Steps,
        way: tuple[Any, ...],
    ) -> Any:
        there, path = self._target(reference, origin, steps)
        place = (there.uri, path)
        if place in way:
            raise MaterializeError(
                f"{reference} leads back to itself; a released schema cannot be endless", steps
            )
        target = self.copied(at(there.document, path), there, steps, (*way, place))
        beside = {
            key: self.copied(one, origin, (*steps, key), way)
            for key, one in value.items()
            if key != "$ref"
        }
        if not beside:
            return target
        if not isinstance(target, dict):
            raise MaterializeError(f"{reference} leads to no object; nothing goes beside", steps)
        return {**target, **beside}

    def _target(self, reference: str, origin: Origin, steps: Steps) -> tuple[Origin, Steps]:
        text, _, fragment = reference.partition("#")
        there = origin
        if text and posixpath.normpath(text) != ".":
            there = self._document(text, origin, steps)
        path = path_of(there.document, unquote(fragment)) if fragment[:1] in {"", "/"} else None
        if path is None:
            raise MaterializeError(f"{reference}: {there.uri} has no such part", steps)
        return there, path

    def _document(self, text: str, origin: Origin, steps: Steps) -> Origin:
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(origin.uri), text))
        try:
            uri = canonical_uri(joined)
        except SchemaNotFound as error:
            raise MaterializeError(f"{text} is no URI of a repository: {error}", steps) from error
        if not is_version(name_of(uri)):
            raise MaterializeError(
                f"{text} is of no fixed version; refer to one that is released, such as "
                f"{posixpath.dirname(uri)}/1.0.0",
                steps,
            )
        if uri == origin.uri:
            return origin
        try:
            return Origin(uri, self._find(uri))
        except MaterializeError as error:
            raise MaterializeError(str(error), steps) from error

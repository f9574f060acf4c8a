"""Finds everything that a schema refers to: documents of the same repositories, nothing else.

Repositories hold schemas into which tools have embedded others, with `$id`s of their own. A local
reference below such an `$id` means the embedded part first and the whole document second; nothing
is ever looked up by an `$id`, so no schema can get in the way of another.
"""

import asyncio
import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from app.core.errors import SchemaNotFound
from app.core.json import text_of
from app.schemas.drafts import Draft, draft_of, meta_reference
from app.schemas.keywords import Path, at, path_of, subschemas
from app.schemas.repository import Document, Found
from app.schemas.uris import canonical_uri

MAX_DOCUMENTS = 64
MAX_SCHEMAS = 20_000
MAX_SHOWN = 200

Find = Callable[[str], Awaitable[Found]]
Place = tuple[str, Path]
"""A document's URI and a path within it."""


class BrokenSchema(ValueError):
    """A schema cannot be used as it is; the message says where and why."""


@dataclass(slots=True)
class Closure:
    """A schema's documents by URI, and the places in them that hold schemas.

    `targets` says where each reference leads, by the place that holds it and the keyword.
    """

    uri: str
    draft: Draft
    documents: dict[str, Document]
    schemas: dict[Place, Document] = field(default_factory=dict)
    targets: dict[tuple[Place, str], Place] = field(default_factory=dict)


async def closure_of(uri: str, document: Document, draft: Draft, find: Find) -> Closure:
    """Return a schema with everything that it refers to.

    `find` fetches documents by canonical URIs and may raise; BrokenSchema is raised for references
    that lead nowhere, outside or to another draft, and for more than 64 documents or 20,000
    schemas.
    """
    documents = {uri: document}
    while True:
        tracer = _Tracer(Closure(uri, draft, documents))
        missing = await asyncio.to_thread(tracer.missing)
        if not missing:
            return tracer.closure
        if len(documents) + len(missing) > MAX_DOCUMENTS:
            raise BrokenSchema(f"it refers to more than {MAX_DOCUMENTS} documents")
        for target in missing:
            documents[target] = (await find(target)).document
            _check_draft(target, documents[target], draft)


def _check_draft(uri: str, document: Document, draft: Draft) -> None:
    # Judged by another draft, some of its keywords would mean nothing, and so let anything pass.
    if "$schema" in document and draft_of(document) is not draft:
        raise BrokenSchema(f"it refers to {uri}, which follows another draft than {draft.uri}")


@dataclass(frozen=True, slots=True)
class _Node:
    """A schema on its way to be looked at. `root` is the embedded part that it belongs to."""

    place: Place
    schema: Document
    root: Path
    base: str


class _Tracer:
    """Follows references as far as the documents at hand allow."""

    def __init__(self, closure: Closure) -> None:
        self.closure = closure
        self._missing: dict[str, None] = {}
        self._waiting: list[_Node] = []
        self._anchors: dict[str, dict[str, list[Path]]] = {}

    def missing(self) -> list[str]:
        """Follow; return the URIs of documents that are needed, too. Raises BrokenSchema."""
        self._add((self.closure.uri, ()))
        while self._waiting:
            node = self._waiting.pop()
            for keyword in self.closure.draft.references:
                reference = node.schema.get(keyword)
                if isinstance(reference, str) and meta_reference(reference) is None:
                    self._follow(node, keyword, reference)
        return list(self._missing)

    def _add(self, place: Place) -> None:
        """Take in the schema at a place and all within it, unless they are known."""
        uri, path = place
        if place in self.closure.schemas:
            return
        schema = at(self.closure.documents[uri], path)
        if not isinstance(schema, dict):
            return  # true or false
        stack = [_Node(place, schema, (), uri)]
        while stack:
            node = stack.pop()
            if node.place in self.closure.schemas:
                continue
            self.closure.schemas[node.place] = node.schema
            if len(self.closure.schemas) > MAX_SCHEMAS:
                raise BrokenSchema(f"it holds more than {MAX_SCHEMAS:,} schemas")
            self._waiting.append(node)
            stack += [
                self._within(node, (uri, node.place[1] + step), inner)
                for step, inner in subschemas(node.schema)
            ]

    def _within(self, outer: _Node, place: Place, schema: Document) -> _Node:
        own = schema.get(self.closure.draft.id_keyword)
        if not isinstance(own, str) or own.startswith("#"):
            return _Node(place, schema, outer.root, outer.base)
        base = own.partition("#")[0] if own.startswith("/") else outer.base
        return _Node(place, schema, place[1], base)

    def _follow(self, node: _Node, keyword: str, reference: str) -> None:
        uri = node.place[0]
        path, _, fragment = reference.partition("#")
        starts: list[Place]
        if not path:
            starts = [(uri, node.root), (uri, ())]
        else:
            target = _document_of(reference, path, node.base, uri)
            if target == uri or target in self.closure.documents:
                starts = [(target, ())]
            elif target == node.base:
                starts = [(uri, node.root)]
            else:
                self._missing[target] = None
                return
        for document, start in starts:
            found = self._located(document, start, unquote(fragment))
            if found is not None:
                self.closure.targets[node.place, keyword] = (document, found)
                self._add((document, ()))
                self._add((document, found))  # elsewhere than where keywords expect schemas
                return
        raise BrokenSchema(f"{uri} refers to {_shown(reference)}, where there is no schema")

    def _located(self, uri: str, start: Path, fragment: str) -> Path | None:
        root = at(self.closure.documents[uri], start)
        if fragment and not fragment.startswith("/"):
            paths = self._anchors_of(uri).get(fragment, [])
            return next((path for path in paths if path[: len(start)] == start), None)
        path = path_of(root, fragment)
        if path is None or not isinstance(at(root, path), dict | bool):
            return None
        return start + path

    def _anchors_of(self, uri: str) -> dict[str, list[Path]]:
        if uri not in self._anchors:
            self._add((uri, ()))
            named = self._anchors[uri] = {}
            for (document, path), schema in self.closure.schemas.items():
                if document == uri:
                    for name in _anchor_names(schema, self.closure.draft.id_keyword):
                        named.setdefault(name, []).append(path)
        return self._anchors[uri]


def _anchor_names(schema: Document, id_keyword: str) -> list[str]:
    names: list[Any] = [schema.get("$anchor"), schema.get("$dynamicAnchor")]
    own = schema.get(id_keyword)
    if isinstance(own, str) and own.startswith("#"):
        names.append(own[1:])
    return [name for name in names if isinstance(name, str)]


def _document_of(reference: str, path: str, base: str, uri: str) -> str:
    """Return the canonical URI of the document that a reference with a path leads to."""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if ":" in path or path.startswith("//") or not joined.startswith("/"):
        raise BrokenSchema(
            f"{uri} refers to {_shown(reference)}, which is outside of the repositories"
        )
    try:
        return canonical_uri(joined)
    except SchemaNotFound as error:
        raise BrokenSchema(
            f"{uri} refers to {_shown(reference)}, which is no schema's URI"
        ) from error


def _shown(reference: str) -> str:
    return text_of(reference, MAX_SHOWN)

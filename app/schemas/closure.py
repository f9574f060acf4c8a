"""Makes a schema whole: everything that it refers to is put into one self-contained document.

`$ref` leads to schemas of the same repositories and nowhere else. What a repository's tools have
already embedded, with `$id`s of its own, does no harm: those are dropped, and references below them
mean the embedded part first. Nothing is shared between two schemas.
"""

import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.core.json import escaped
from app.schemas.drafts import Draft, is_meta_schema
from app.schemas.keywords import IN_PLACE, MANY, NAMED, ONE, Path, at, subschemas, walk
from app.schemas.repository import Document, Found

MAX_DOCUMENTS = 64
MAX_SCHEMAS = 20_000
MAX_EXPANSION = 100_000

Find = Callable[[str], Awaitable[Found]]


class BrokenSchema(ValueError):
    """A schema cannot be used as it is; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A self-contained schema, and the documents that it was made of, by URI."""

    schema: Document
    documents: dict[str, Document]


async def whole(uri: str, document: Document, draft: Draft, find: Find) -> Whole:
    """Return a schema with everything that it refers to.

    `find` fetches documents by canonical or relative URIs and may raise; BrokenSchema is raised for
    references that lead nowhere or outside, and for schemas too large or too costly to validate.
    """
    documents = {uri: document}
    waiting = [uri]
    while waiting:
        current = waiting.pop()
        for target in sorted(_documents_meant(current, documents[current], draft)):
            if target in documents:
                continue
            if len(documents) >= MAX_DOCUMENTS:
                raise BrokenSchema(f"it refers to more than {MAX_DOCUMENTS} documents")
            documents[target] = (await find(target)).document
            waiting.append(target)

    bundle = _Bundle(uri, documents, draft).made()
    _check_cost(bundle)
    return Whole(bundle, documents)


def _documents_meant(uri: str, document: Document, draft: Draft) -> set[str]:
    meant = set()
    for count, (path, node) in enumerate(walk(document)):
        if count > MAX_SCHEMAS:
            raise BrokenSchema(f"{uri} holds more than {MAX_SCHEMAS:,} schemas")
        reference = node.get("$ref")
        if isinstance(reference, str) and not is_meta_schema(reference):
            base, _ = _base_of(uri, document, path, draft)
            meant.add(_document_of(reference, base, uri))
    return meant


def _document_of(reference: str, base: str, uri: str) -> str:
    """Return the URI of the document that a reference leads to."""
    path = reference.partition("#")[0]
    if not path:
        return uri
    if ":" in path or path.startswith("//") or "\\" in path:
        raise BrokenSchema(f"{uri} refers to {reference}, which is outside of the repositories")
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if not joined.startswith("/") or joined.startswith("//"):
        raise BrokenSchema(f"{uri} refers to {reference}, which is outside of the repositories")
    return uri if joined == uri else joined


def _base_of(uri: str, document: Document, path: Path, draft: Draft) -> tuple[str, Path]:
    """Return the URI and the place of the nearest embedded schema around a path."""
    base, place = uri, ()
    node: Any = document
    here: Path = ()
    for token in path:
        node = node[token]
        here += (token,)
        own = node.get(draft.id_keyword) if isinstance(node, dict) else None
        if isinstance(own, str) and own.startswith("/") and _is_schema_position(here):
            base, place = own.removesuffix("#"), here
    return base, place


def _is_schema_position(path: Path) -> bool:
    # A property named "$id" has a schema as its value, never a string: only maps of names could
    # be mistaken, and a name's own entry is a schema again.
    return not path or path[-1] not in NAMED


class _Bundle:
    """Puts documents together, with references between them as local pointers."""

    def __init__(self, uri: str, documents: dict[str, Document], draft: Draft) -> None:
        self._uri = uri
        self._documents = documents
        self._draft = draft

    def made(self) -> Document:
        schema = self._copy(self._uri, ())
        schema["$schema"] = self._draft.uri
        others = [uri for uri in self._documents if uri != self._uri]
        if others:
            kept = schema.get(self._draft.definitions, {})
            schema[self._draft.definitions] = {
                **kept,
                **{uri: self._copy(uri, ()) for uri in others},
            }
        return schema

    def _copy(self, uri: str, path: Path) -> dict[str, Any]:
        return self._copied(uri, self._documents[uri], path)

    def _copied(self, uri: str, node: dict[str, Any], path: Path) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for keyword, value in node.items():
            if keyword in ("$schema", "$anchor", "$dynamicAnchor", "$recursiveAnchor"):
                continue
            if keyword == self._draft.id_keyword and isinstance(value, str):
                continue
            here = (*path, keyword)
            if keyword == "$ref" and isinstance(value, str):
                copy[keyword] = self._local(uri, value, path)
            elif keyword in ("$dynamicRef", "$recursiveRef"):
                copy["$ref"] = self._local(uri, str(value), path)
            elif isinstance(value, dict) and keyword in ONE:
                copy[keyword] = self._copied(uri, value, here)
            elif isinstance(value, dict) and keyword in NAMED:
                copy[keyword] = {
                    name: self._copied(uri, inner, (*here, name))
                    if isinstance(inner, dict)
                    else inner
                    for name, inner in value.items()
                }
            elif isinstance(value, list) and keyword in MANY:
                copy[keyword] = [
                    self._copied(uri, inner, (*here, index)) if isinstance(inner, dict) else inner
                    for index, inner in enumerate(value)
                ]
            else:
                copy[keyword] = value
        return copy

    def _local(self, uri: str, reference: str, path: Path) -> str:
        """Return a reference as a pointer into the bundle."""
        if is_meta_schema(reference):
            return reference
        base, place = _base_of(uri, self._documents[uri], path, self._draft)
        target = _document_of(reference, base, uri)
        fragment = reference.partition("#")[2]
        if reference.startswith("#"):
            # The embedded part is meant first; its author may have meant the whole, too.
            candidates: list[tuple[str, Path]] = [(uri, place), (uri, ())]
        else:
            candidates = [(target, ())]
        for document, start in candidates:
            found = self._pointer(document, start, fragment)
            if found is not None:
                return self._at(document, found)
        raise BrokenSchema(f"{uri} refers to {reference}, where there is no schema")

    def _pointer(self, uri: str, start: Path, fragment: str) -> Path | None:
        document = self._documents[uri]
        if fragment and not fragment.startswith("/"):
            return self._anchor(document, fragment)
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in fragment.split("/")[1:]]
        try:
            value = at(at(document, start), tokens)
        except (LookupError, TypeError):
            return None
        return (*start, *tokens) if isinstance(value, dict | bool) else None

    def _anchor(self, document: Document, name: str) -> Path | None:
        for path, node in walk(document):
            named = (node.get("$anchor"), node.get("$dynamicAnchor"))
            if name in named or node.get(self._draft.id_keyword) == f"#{name}":
                return path
        return None

    def _at(self, uri: str, path: Path) -> str:
        start: Path = () if uri == self._uri else (self._draft.definitions, uri)
        # In a reference, what is no URI character is percent-encoded; our paths have none but "%".
        tokens = (escaped(token).replace("%", "%25") for token in (*start, *path))
        return "#" + "".join(f"/{token}" for token in tokens)


def _check_cost(bundle: Document) -> None:
    """Refuse schemas that make one value be judged by very many schemas, or by one for ever."""
    costs: dict[int, int] = {}
    open_nodes: set[int] = set()

    def cost(node: Any) -> int:
        if not isinstance(node, dict):
            return 1
        key = id(node)
        if key in costs:
            return costs[key]
        if key in open_nodes:
            raise BrokenSchema("it refers to itself for one and the same value, without end")
        open_nodes.add(key)
        total = 1
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            total += cost(resolve(bundle, reference))
        for path, inner in subschemas(node):
            if path[0] in IN_PLACE or path[0] == "dependentSchemas":
                total += cost(inner)
        open_nodes.discard(key)
        if total > MAX_EXPANSION:
            raise BrokenSchema(
                f"it judges one value by more than {MAX_EXPANSION:,} schemas through its references"
            )
        costs[key] = total
        return total

    try:
        for _, node in walk(bundle):
            cost(node)
    except RecursionError as error:
        raise BrokenSchema("its references are nested too deeply") from error


def resolve(bundle: Document, reference: str) -> Any:
    """Return what a local reference of a bundle leads to."""
    tokens = reference.split("/")[1:]
    return at(
        bundle,
        [token.replace("%25", "%").replace("~1", "/").replace("~0", "~") for token in tokens],
    )

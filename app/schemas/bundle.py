"""A schema made whole: one self-contained document in which every reference is a local pointer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from app.schemas.closure import BrokenSchema, Closure, Place
from app.schemas.drafts import Draft, meta_reference
from app.schemas.keywords import Path, at, path_of, pointer_of
from app.schemas.repository import Document

_DROPPED = frozenset(("$anchor", "$dynamicAnchor", "$recursiveAnchor", "$schema", "$vocabulary"))
# Beside these, RFC 3986 lets nothing else stand in a fragment unencoded.
_PLAIN = "/~!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A self-contained schema, and all the schemas within it.

    Their `$id`s are gone, so that a pointer means the same everywhere in it.
    """

    schema: Document
    parts: list[Document]
    draft: Draft
    _resolved: dict[str, Any] = field(default_factory=dict)

    def referred(self, node: Document) -> Any:
        """Return the schema that a schema's `$ref` leads to, None if it has none of ours."""
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        if reference not in self._resolved:
            path = path_of(self.schema, unquote(reference[1:]))
            assert path is not None  # the closure has been there
            self._resolved[reference] = at(self.schema, path)
        return self._resolved[reference]

    def stands_alone(self, node: Document) -> bool:
        """Say whether a schema is its `$ref` only, whatever else it says."""
        return self.draft.ref_stands_alone and isinstance(node.get("$ref"), str)

    def certain(self, node: Document) -> Iterator[Any]:
        """Yield the schemas that judge the same value in any case: by `$ref` and `allOf`."""
        target = self.referred(node)
        if target is not None:
            yield target
        every = node.get("allOf")
        if isinstance(every, list) and not self.stands_alone(node):
            yield from every


def bundled(closure: Closure) -> Bundle:
    """Put the documents of a closure together; they stay as they are. Raises BrokenSchema."""
    root = closure.documents[closure.uri]
    container = closure.draft.definitions
    kept = root.get(container, {})
    if not isinstance(kept, dict):
        raise BrokenSchema(f"at #/{container}: it is no object")
    names: dict[str, Path] = {
        uri: (container, _free(uri, kept)) for uri in closure.documents if uri != closure.uri
    }
    names[closure.uri] = ()
    copier = _Copier(closure, names)
    schema: Document = copier.copied((closure.uri, ()), root)
    others = {
        path[1]: copier.copied((uri, ()), closure.documents[uri])
        for uri, path in names.items()
        if path
    }
    if others:
        schema[container] = {**schema.get(container, {}), **others}
    schema["$schema"] = closure.draft.uri
    return Bundle(schema, copier.parts, closure.draft)


def _free(name: str, taken: Document) -> str:
    while name in taken:
        name += "'"
    return name


class _Copier:
    """Copies documents; `names` says where in the bundle each goes. Gathers the copied schemas."""

    def __init__(self, closure: Closure, names: dict[str, Path]) -> None:
        self._closure = closure
        self._names = names
        self.parts: list[Document] = []

    def copied(self, place: Place, value: Any) -> Any:
        if isinstance(value, list):
            return [self.copied(_below(place, i), inner) for i, inner in enumerate(value)]
        if not isinstance(value, dict):
            return value
        copy = {key: self.copied(_below(place, key), inner) for key, inner in value.items()}
        return self._local(place, copy) if place in self._closure.schemas else copy

    def _local(self, place: Place, schema: Document) -> Document:
        """Return a schema without names of its own, its references turned into pointers."""
        draft = self._closure.draft
        references = []
        for keyword in draft.references:
            reference = schema.pop(keyword, None)
            if (place, keyword) in self._closure.targets:
                references.append(self._pointer(*self._closure.targets[place, keyword]))
            elif isinstance(reference, str):
                references.append(meta_reference(reference) or reference)
            elif reference is not None:
                schema[keyword] = reference  # the meta-schema will complain
        if isinstance(schema.get(draft.id_keyword), str):
            del schema[draft.id_keyword]
        kept = {keyword: value for keyword, value in schema.items() if keyword not in _DROPPED}
        if references:
            kept["$ref"] = references[0]
        if len(references) > 1:
            kept["allOf"] = [*kept.get("allOf", ()), {"$ref": references[1]}]
        self.parts.append(kept)
        return kept

    def _pointer(self, uri: str, path: Path) -> str:
        return "#" + quote(pointer_of(self._names[uri] + path), safe=_PLAIN)


def _below(place: Place, token: str | int) -> Place:
    uri, path = place
    return uri, (*path, token)

"""Schema documents by URI: sources are asked in order, the first that has one wins."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import SchemaNotFound, SchemaUnavailable, SchemaUnusable
from app.core.json import text_of
from app.core.yaml import YamlError, YamlTooMuchError, parse_yaml
from app.schemas.drafts import DEFAULT, draft_of
from app.schemas.keywords import MANY, NAMED, ONE
from app.schemas.sources import DocumentError, SchemaSource, SourceError
from app.schemas.uris import LATEST, canonical_uri, is_version, name_of, parent_of

Document = dict[str, Any]

# Where links cannot be made (some checkouts, servers of raw files) a file holds the link's target.
_LINK = re.compile(rb"([A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.(?:yaml|yml|json))\s*")
# What a server answers instead of a document may well be an object of JSON, or of YAML: HTML with
# a colon in it is one.
_KEYWORDS = (
    ONE
    | MANY
    | NAMED
    | {"$dynamicRef", "$id", "$recursiveRef", "$ref", "$schema", "const", "dependentRequired"}
    | {"enum", "exclusiveMaximum", "exclusiveMinimum", "format", "id", "maxItems", "maxLength"}
    | {"maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum"}
    | {"multipleOf", "pattern", "required", "title", "type", "uniqueItems"}
)
_MARKUP = b"<"
_OURS = "/sluiceway/"


@dataclass(frozen=True, slots=True)
class Found:
    """A document and the URI that it goes by: that of a version, also if `latest` was asked."""

    uri: str
    document: Document


class Repository:
    """Finds schema documents. Remembers nothing; counts in `fetches` how often it looked.

    `absolute` fetches absolute URIs, where those are allowed. `builtin` is asked last, but first
    for what is our own: that must be had even while every other source is away.
    """

    def __init__(
        self,
        sources: Sequence[SchemaSource],
        *,
        absolute: SchemaSource | None = None,
        builtin: SchemaSource | None = None,
    ) -> None:
        last = [builtin] if builtin else []
        self._sources = [*sources, *last]
        self._sources_of_ours = [*last, *sources]
        self._absolute = absolute
        self.fetches = 0

    async def find(self, uri: str) -> Found:
        """Return the document at a canonical URI; raises SchemaNotFound or SchemaUnavailable.

        A source that fails, or has something that is no schema document, does not keep later ones
        from being asked; if none of them has the document either, it is unavailable: what answers
        garbage may be a server in trouble. A document that is too much is SchemaUnusable.
        """
        self.fetches += 1
        problems: list[SourceError] = []
        sources = self._sources_of_ours if uri.startswith(_OURS) else self._sources
        if not uri.startswith("/"):
            sources = [self._absolute] if self._absolute else []
        for source in sources:
            try:
                text = await source.fetch(uri)
                link = _LINK.fullmatch(text) if text is not None else None
                if link:
                    text = await source.fetch(f"{parent_of(uri)}/{link[1].decode()}")
                if text is not None:
                    # Some YAML takes a second to read: that must not hold up everything else.
                    return _found(uri, await asyncio.to_thread(_document, text, uri))
            except SourceError as error:
                problems.append(error)
        told = "; ".join(map(str, problems))
        if problems and all(isinstance(problem, DocumentError) for problem in problems):
            raise SchemaUnusable(
                f"Schema {uri} cannot be used: {told}.",
                pointer="/$schema",
                hint="The schema has to be mended; the event is not at fault.",
            )
        if problems:
            raise SchemaUnavailable(
                f"Schema {uri} cannot be had now: {told}.",
                pointer="/$schema",
                hint="Send the event again later; whoever runs the schema repository has to look.",
            )
        raise SchemaNotFound(
            f"No schema repository has {uri}.",
            pointer="/$schema",
            expected="the URI of a schema in a repository",
            got=uri,
            hint="Correct $schema, or publish the schema first. GET /v1/schemas/… shows what is "
            "there.",
        )


def _document(text: bytes, uri: str) -> Document:
    if text.lstrip().startswith(_MARKUP):
        raise SourceError(f"the document at {uri} is a page of HTML or XML, not a schema")
    try:
        value = parse_yaml(text)
    except YamlTooMuchError as error:
        raise DocumentError(f"the document at {uri} is {error}") from error
    except YamlError as error:
        raise SourceError(f"the document at {uri} is unreadable: {str(error)[:300]}") from error
    if not isinstance(value, dict):
        raise SourceError(f"the document at {uri} is not a schema: it is no object")
    if not _KEYWORDS & value.keys():
        raise SourceError(f"the document at {uri} is not a schema: it has none of its keywords")
    return value


def _found(asked: str, document: Document) -> Found:
    """Return a document by the URI of its version; raises SchemaUnavailable if its own differs.

    Under a version's URI there must be that version: a mistaken link would judge by another. So
    the document's `$id`, if it is a path, must be the asked URI or the end of it: real schemas
    were moved into a folder without a change. Of any other `$id` only the version has to agree.
    """
    own = _own_uri(document)
    folder, name = parent_of(asked), name_of(asked)
    at_home = own.startswith("/") and folder.endswith(parent_of(own))
    if name == LATEST:
        if at_home and is_version(name_of(own)):
            return Found(f"{folder}/{name_of(own)}", document)
        raise _mislaid(asked, f"its $id must name the version that it is, such as {folder}/1.0.0")
    same = name_of(own) == name
    agrees = (at_home and same) if own.startswith("/") else (same or not is_version(name_of(own)))
    if not agrees:
        raise _mislaid(asked, f"its $id says that it is {own}")
    return Found(asked, document)


def _own_uri(document: Document) -> str:
    own = document.get((draft_of(document) or DEFAULT).id_keyword)
    if not isinstance(own, str) or own.startswith("#"):
        return ""
    try:
        return canonical_uri(own)
    except SchemaNotFound:
        return text_of(own.removesuffix("#"), 200)


def _mislaid(asked: str, why: str) -> SchemaUnavailable:
    return SchemaUnavailable(
        f"Schema {asked} cannot be used: {why}.",
        pointer="/$schema",
        hint="The schema has to be mended; the event is not at fault.",
    )

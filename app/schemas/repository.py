"""Schema documents by URI: sources are asked in order, the first that has one wins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import SchemaNotFound, SchemaUnavailable
from app.core.yaml import YamlError, parse_yaml
from app.schemas.sources import SchemaSource, SourceError
from app.schemas.uris import LATEST, is_version, name_of, parent_of

Document = dict[str, Any]

# Where links cannot be made (some checkouts, servers of raw files) a link is a file with its target.
_LINK = re.compile(rb"([A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.(?:yaml|yml|json))\s*")


@dataclass(frozen=True, slots=True)
class Found:
    """A document and the URI that it goes by: that of a version, also if `latest` was asked."""

    uri: str
    document: Document


class Repository:
    """Finds schema documents. Remembers nothing; counts in `fetches` how often it looked."""

    def __init__(self, sources: Sequence[SchemaSource], *, absolute: SchemaSource | None) -> None:
        self._sources = sources
        self._absolute = absolute
        self.fetches = 0

    async def find(self, uri: str) -> Found:
        """Return the document at a canonical URI; raises SchemaNotFound or SchemaUnavailable.

        A source that fails, or has something that is no schema document, does not keep later ones
        from being asked; if none of them has the document either, it is unavailable.
        """
        self.fetches += 1
        problems: list[str] = []
        if not uri.startswith("/"):
            assert self._absolute is not None  # such URIs are canonical only where allowed
            sources: Sequence[SchemaSource] = [self._absolute]
        else:
            sources = self._sources
        for source in sources:
            try:
                text = await source.fetch(uri)
                link = _LINK.fullmatch(text) if text is not None else None
                if link:
                    text = await source.fetch(f"{parent_of(uri)}/{link[1].decode()}")
                if text is not None:
                    return _found(uri, _document(text, uri))
            except SourceError as error:
                problems.append(str(error))
        if problems:
            raise SchemaUnavailable(
                f"Schema {uri} cannot be had now: {'; '.join(problems)}.", pointer="/$schema"
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
    try:
        value = parse_yaml(text)
    except YamlError as error:
        raise SourceError(f"the document at {uri} is {error}") from error
    if not isinstance(value, dict):
        raise SourceError(f"the document at {uri} is not a schema: it is no object")
    return value


def _found(asked: str, document: Document) -> Found:
    own = document.get("$id", document.get("id"))
    own = own.removesuffix("#") if isinstance(own, str) else None
    if name_of(asked) == LATEST:
        if own and parent_of(own) == parent_of(asked) and is_version(name_of(own)):
            return Found(own, document)
        raise SchemaUnavailable(
            f"Schema {asked} cannot be used: its $id must name the version that it is, such as "
            f"{parent_of(asked)}/1.0.0.",
            pointer="/$schema",
        )
    # Under a version's URI there must be that version: a mistaken link would judge by another. The
    # folder may differ, as it does where a schema was moved.
    if own and is_version(name_of(own)) and name_of(own) != name_of(asked):
        raise SchemaUnavailable(
            f"Schema {asked} cannot be used: its $id says that it is {own}.", pointer="/$schema"
        )
    return Found(asked, document)

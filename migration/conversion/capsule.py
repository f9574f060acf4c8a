"""The capsule fragment: the schema of what stands around an event, by its URI in the repository."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import SchemaNotFound, SchemaUnavailable
from app.core.yaml import parse_yaml
from app.schemas.closure import BrokenSchema, closure_of
from app.schemas.drafts import DEFAULT
from app.schemas.repository import Document, Found, Repository
from app.schemas.secure import check_secure
from app.schemas.sources import FileSource
from app.schemas.validator import Schema
from migration.conversion.nodes import ConversionError
from migration.conversion.options import CAPSULE

OURS = Path(__file__).with_name("eventcapsule.yaml")
"""A fragment of our own for repositories that have none; it has the fields of the usual one."""

MAX_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Capsule:
    """A capsule fragment. `is_ours` says that the repository has none at this URI."""

    uri: str
    document: Document
    repository: Repository
    is_ours: bool = False

    def has(self, field: str) -> bool:
        """Say whether events have a field around what the old schema described."""
        return field in self.document["properties"]

    def around(self, document: Document) -> Document:
        """Return a converted schema and this fragment as one schema, as a release joins them."""
        own = document["allOf"][1]
        return {
            **{word: document[word] for word in ("title", "$id", "$schema", "type")},
            "additionalProperties": self.document.get("additionalProperties", True),
            "required": [*self.document.get("required", []), *own["required"]],
            "properties": self.document["properties"] | own["properties"],
        }

    def compiled(self, document: Document) -> Schema:
        """Compile a converted schema as the service will; raises ConversionError."""
        whole = self.around(document)
        try:
            closure = asyncio.run(closure_of(whole["$id"], whole, DEFAULT, self.repository.find))
            check_secure(closure)
            return Schema(closure)
        except (BrokenSchema, SchemaNotFound, SchemaUnavailable) as error:
            raise ConversionError(f"the service could not use what it becomes: {error}") from error


def load_capsule(uri: str, folder: Path) -> Capsule:
    """Return the fragment at a URI in a repository; raises ConversionError.

    Where the repository has none at the usual URI, it is one of our own.
    """
    sources = [FileSource(str(folder), max_bytes=MAX_BYTES)] if folder.is_dir() else []
    repository = Repository(sources)
    try:
        found: Found | None = asyncio.run(repository.find(uri))
    except SchemaNotFound as error:
        if uri != CAPSULE:
            raise ConversionError(
                f"{folder} has no released fragment {uri}; name one that it has with --capsule"
            ) from error
        found = None
    except SchemaUnavailable as error:
        raise ConversionError(str(error)) from error
    document: Document = found.document if found else parse_yaml(OURS.read_bytes())
    if not isinstance(document.get("properties"), dict):
        raise ConversionError(
            f"the fragment {uri} names no properties of its own: it has to be materialized first"
        )
    return Capsule(uri, document, repository, is_ours=found is None)

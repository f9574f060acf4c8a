"""The two schemas of a comparison: what they say, and the real validators that judge by them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import ConfigError, EventError, MalformedEvent, SchemaViolation
from app.core.yaml import YamlError, parse_yaml
from app.schemas.bundle import bundled
from app.schemas.closure import BrokenSchema, Closure, closure_of
from app.schemas.defaults import defaults_of
from app.schemas.drafts import DEFAULT, draft_of
from app.schemas.repository import Document, Repository
from app.schemas.sources import FileSource
from app.schemas.uris import canonical_uri, parent_of
from app.schemas.validator import Schema
from migration.compat.views import Part

MAX_BYTES = 4_194_304
_DRAFT_3 = "draft-03"


class UnusableSchema(ValueError):
    """A schema cannot be compared; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a validator finds wrong with an event."""

    pointer: str
    keyword: str
    message: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of two schemas. `faults` asks the real validator; no fault means that an event is valid.

    `part` is what the comparison reads, `document` what the author wrote.
    """

    name: str
    document: Document
    part: Part
    faults: Callable[[dict[str, Any]], Sequence[Fault]]

    def takes(self, event: dict[str, Any]) -> bool:
        """Say whether an event is valid."""
        return not self.faults(event)


def load_document(name: str, bases: Sequence[str]) -> Document:
    """Read a schema from a file, or by its URI from one of the repositories' folders."""
    for path in (Path(name), *(Path(base) / name.lstrip("/") for base in bases)):
        for file in (path, *(path.with_name(f"{path.name}{end}") for end in (".yaml", ".json"))):
            if file.is_file():
                return _read(file)
    raise UnusableSchema(f"{name} is no file, nor a schema below a folder given with --schemas.")


def _read(file: Path) -> Document:
    try:
        document = parse_yaml(file.read_bytes())
    except (OSError, YamlError) as error:
        raise UnusableSchema(f"{file} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise UnusableSchema(f"{file} is no schema: it holds no object.")
    return document


def is_draft_3(document: Document) -> bool:
    """Say whether a schema is one of the old wiki: by its `$schema`, or by a boolean `required`."""
    name = document.get("$schema")
    if name is not None:
        return isinstance(name, str) and _DRAFT_3 in name
    return _has_flags(document)


def _has_flags(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    inner = schema.get("properties")
    below = list(inner.values()) if isinstance(inner, dict) else []
    return any(
        isinstance(one, dict) and (isinstance(one.get("required"), bool) or _has_flags(one))
        for one in [*below, schema.get("items")]
    )


def modern_side(name: str, document: Document, bases: Sequence[str]) -> Side:
    """Return a draft-07 schema as the service would use it; raises UnusableSchema."""
    if draft_of(document) is not DEFAULT:
        raise UnusableSchema(
            f"{name} follows {document.get('$schema')}; schemas of draft-07 can be compared, and "
            "an old one of draft-03 with a new one of draft-07."
        )
    try:
        closure = asyncio.run(_closure(document, bases))
        schema = Schema(closure)
        bundle = bundled(closure)
        fills = defaults_of(bundle) is not None
    except (BrokenSchema, EventError, ConfigError) as error:
        raise UnusableSchema(
            f"{name} cannot be used: {error}. Schemas that it refers to are looked for below the "
            "folders given with --schemas."
        ) from error

    def faults(event: dict[str, Any]) -> list[Fault]:
        try:
            schema.validate(schema.with_defaults(event))
        except SchemaViolation as error:
            return [Fault(one.pointer, one.keyword, one.message) for one in error.violations]
        except MalformedEvent as error:
            return [Fault("", "malformed", str(error))]
        return []

    return Side(name, document, Part(bundle.schema, bundle, fills=fills), faults)


async def _closure(document: Document, bases: Sequence[str]) -> Closure:
    repository = Repository([FileSource(base, max_bytes=MAX_BYTES) for base in bases])
    own = document.get("$id")
    uri = canonical_uri(own) if isinstance(own, str) and own.startswith("/") else "/compared/schema"
    return await closure_of(uri, document, DEFAULT, repository.find)


def bases_of(file: str, document: Document) -> list[str]:
    """Return the folder of the repository that a schema's file is in, as its `$id` tells."""
    own = document.get("$id")
    if not isinstance(own, str) or not own.startswith("/"):
        return []
    folder = Path(file).absolute().parent
    below = Path(parent_of(own).strip("/")).parts
    if not below or folder.parts[-len(below) :] != below:
        return []
    return [str(Path(*folder.parts[: -len(below)]))]

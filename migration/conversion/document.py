"""The whole of a conversion: the document for a repository, its example, its notes."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from app.core.errors import MalformedEvent, SchemaViolation
from app.core.json import text_of
from app.schemas.repository import Document
from legacy.strict.reference import Reference
from legacy.strict.schemas import OldSchemas
from migration.conversion.capsule import Capsule
from migration.conversion.event import event_schema
from migration.conversion.examples import NOTHING, example_of
from migration.conversion.nodes import ConversionError
from migration.conversion.notes import Note
from migration.conversion.options import Options
from migration.layout import Place
from migration.onwiki import OnWikiSchema

DRAFT = "https://json-schema.org/draft-07/schema#"

_MOMENT = "2026-01-15T09:32:40.118Z"
_AROUND = {"wiki": "examplewiki", "recvFrom": "host.example.org", "uuid": "0" * 32}


@dataclass(frozen=True, slots=True)
class Conversion:
    """A schema that was converted: where it belongs, what it is, what there is to note."""

    old: OnWikiSchema
    place: Place
    document: Document
    notes: tuple[Note, ...]


def convert(
    old: OnWikiSchema, place: Place, options: Options, capsule: Capsule, example: Any = None
) -> Conversion:
    """Convert a schema; raises ConversionError.

    `example` is an event that the old schema took; one is made up where it is None. It is put into
    the document only after both judges, the old and the new, have taken it.
    """
    event = event_schema(old.schema, place.name, options)
    document: Document = {
        "title": place.title,
        "description": event.description or f"Events of the old EventLogging schema {place.name}.",
        "$id": place.uri,
        "$schema": DRAFT,
        "type": "object",
        "allOf": [
            {"$ref": options.capsule},
            {"required": ["event"], "properties": {"event": event.schema}},
        ],
    }
    schema = capsule.compiled(document)
    made = example_of(event.schema, "event") if example is None else example
    if made is NOTHING:
        raise ConversionError(
            "no example was found that it takes; give an event of its own with --example"
        )
    whole = _example(made, place, old.revision, capsule)
    try:
        schema.validate(whole | {"$schema": place.uri})
    except (SchemaViolation, MalformedEvent) as error:
        raise ConversionError(f"the new schema does not take the example: {error}") from error
    _check_old(old.schema, place.name, made)
    document["examples"] = [whole]
    return Conversion(old, place, document, event.notes)


def _example(event: Any, place: Place, revision: int | None, capsule: Capsule) -> Document:
    around = {
        "dt": _MOMENT,
        "client_dt": _MOMENT,
        "$schema": {"$ref": "#/$id"},
        "schema": place.name,
        "revision": revision,
    }
    meta = {"dt": _MOMENT, "id": str(uuid5(NAMESPACE_URL, place.title)), "stream": place.stream}
    known = {
        name: value for name, value in around.items() if value is not None and capsule.has(name)
    }
    return {"event": event, "meta": meta, **known}


def _check_old(schema: Document, name: str, event: Any) -> None:
    reference = Reference(name, 1)
    envelope = {**_AROUND, "schema": name, "revision": 1, "event": event}
    try:
        for violation in OldSchemas({(name, 1): schema}).violations(envelope, reference):
            raise ConversionError(
                f"the old schema does not take the example: {text_of(violation.message, 200)}"
            )
    except re.error as error:
        raise ConversionError(f"a pattern is no regular expression: {error}") from error

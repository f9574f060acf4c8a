"""The schema of an event: the top of an on-wiki schema, where the old system added rules."""

from dataclasses import dataclass
from typing import Any

from jsonschema import Draft3Validator
from jsonschema.exceptions import best_match

from app.core.json import text_of
from app.schemas.keywords import pointer_of
from app.schemas.repository import Document
from migration.conversion.nodes import ConversionError, Converter, Spot
from migration.conversion.notes import Note
from migration.conversion.options import Options

_TOP = frozenset(("description", "required", "title", "type"))
_META = Draft3Validator(Draft3Validator.META_SCHEMA)


@dataclass(frozen=True, slots=True)
class EventSchema:
    """The draft-07 schema of an event. `description` is what the old one said of itself."""

    schema: Document
    description: str | None
    notes: tuple[Note, ...]


def event_schema(old: Document, name: str, options: Options) -> EventSchema:
    """Convert an on-wiki schema; raises ConversionError.

    An event is an object that has to be there. Its unknown properties, which the old system refused
    unless the schema said otherwise, are accepted unless `closed_event`.
    """
    check_draft_3(old)
    top = Spot()
    converter = Converter(options.bounds)
    types = _listed(old.get("type", "any"))
    _check_takes_objects(types)
    only_objects = types == ["object"]
    if not (only_objects and old.get("required")):
        converter.note("event_object", top)
    if old.get("title") not in (None, name):
        converter.note("title", top, text_of(old["title"], 60))
    rest = {word: value for word, value in old.items() if word not in _TOP}
    if not all(isinstance(one, str) for one in types) and "any" not in types:
        rest["type"] = old["type"]
    made: Document = {"type": "object"}
    made |= converter.schema(rest, top)
    if "additionalProperties" not in old:
        if options.closed_event:
            made["additionalProperties"] = False
        else:
            converter.note("open_event", top)
    return EventSchema(made, old.get("description"), tuple(converter.notes))


def check_draft_3(old: Document) -> None:
    """Raise ConversionError unless a document is a schema of draft 3 that says something."""
    if not old:
        raise ConversionError("it is empty: the old system took an empty schema for none")
    error = best_match(_META.iter_errors(old))
    if error is None:
        return
    where = pointer_of(tuple(error.absolute_path)) or "/"
    said = text_of(error.message, 200)
    hint = ""
    if error.absolute_path and error.absolute_path[-1] == "required":
        hint = (
            "; in draft 3 required is true or false, beside a property's type. A list of names is "
            "of draft 4, and an empty text of an answer that was asked for without formatversion=2"
        )
    raise ConversionError(f"at {where}: it is no schema of draft 3: {said}{hint}")


def _listed(types: Any) -> list[Any]:
    return types if isinstance(types, list) else [types]


def _check_takes_objects(types: list[Any]) -> None:
    if not any(one in ("any", "object") or isinstance(one, dict) for one in types):
        raise ConversionError("at /type: an event is an object, and the schema does not take any")

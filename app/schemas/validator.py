"""A compiled schema: judges events, fills defaults, knows its fields."""

from functools import lru_cache
from typing import Any

import jsonschema_rs as rs

from app.core.errors import MalformedEvent, SchemaViolation
from app.schemas.closure import BrokenSchema, Whole
from app.schemas.defaults import defaults_of
from app.schemas.drafts import Draft
from app.schemas.explain import Declared, violations_of
from app.schemas.fields import Field, field_of
from app.schemas.formats import put_formats_into_patterns
from app.schemas.repository import Document

_FIELDS_REMEMBERED = 256


class Schema:
    """A schema ready for use. Never changes.

    `uri` is canonical (`/button/click/1.0.0`), `document` the schema as its author wrote it.
    """

    def __init__(self, uri: str, whole: Whole, draft: Draft) -> None:
        """Compile; raises BrokenSchema. This takes milliseconds: do it in a thread."""
        self.uri = uri
        self.document: Document = whole.documents[uri]
        title = self.document.get("title")
        self.title = title if isinstance(title, str) else None
        bundle = whole.schema
        _check_meta_schema(bundle)
        self._fill = defaults_of(bundle)
        self.field = lru_cache(_FIELDS_REMEMBERED)(lambda path: _field(bundle, path))
        put_formats_into_patterns(bundle)
        self._declared = Declared(bundle)
        try:
            self._validator = draft.validator(
                bundle,
                validate_formats=False,  # they are patterns now
                pattern_options=rs.RegexOptions(),  # an engine whose time is linear
                offline=True,
            )
        except (ValueError, rs.ReferencingError) as error:
            raise BrokenSchema(_first_line(error)) from error
        self._is_valid = self._validator.is_valid

    def validate(self, body: dict[str, Any]) -> None:
        """Raise SchemaViolation unless the event follows the schema.

        MalformedEvent is raised for an event that is nested too deeply to be judged.
        """
        try:
            if self._is_valid(body):
                return
            violations = violations_of(self._validator, body, self._declared)
        except ValueError as error:
            # The validator takes nothing nested deeper than 255, nor what is no Unicode.
            raise MalformedEvent(f"The event cannot be judged: {_first_line(error)}") from error
        raise SchemaViolation(self.uri, violations)

    def with_defaults(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the event with the schema's defaults; `body` itself if there are none to fill."""
        return self._fill(body) if self._fill else body


def _field(bundle: Document, path: str) -> Field | None:
    return field_of(bundle, path)


def _check_meta_schema(bundle: Document) -> None:
    try:
        rs.meta.validate(bundle)
    except (ValueError, rs.ReferencingError) as error:
        path = getattr(error, "instance_path", ())
        where = "".join(f"/{token}" for token in path)
        raise BrokenSchema(f"at #{where}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]

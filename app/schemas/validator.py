"""A compiled schema: judges events, fills defaults, knows its fields."""

from functools import lru_cache, partial
from typing import Any

import jsonschema_rs as rs

from app.core.errors import MalformedEvent, SchemaViolation
from app.schemas.bundle import Bundle, bundled
from app.schemas.closure import BrokenSchema, Closure
from app.schemas.defaults import defaults_of
from app.schemas.effort import check_bounded
from app.schemas.explain import Explainer
from app.schemas.fields import Field, field_of
from app.schemas.formats import put_formats_into_patterns
from app.schemas.keywords import pointer_of
from app.schemas.price import price_of
from app.schemas.repository import Document

_FIELDS_REMEMBERED = 256


class Schema:
    """A schema ready for use. Never changes.

    `uri` is canonical (`/button/click/1.0.0`), `document` the schema as its author wrote it.
    """

    def __init__(self, closure: Closure) -> None:
        """Compile; raises BrokenSchema. This takes milliseconds: do it in a thread."""
        self.uri = closure.uri
        self.document: Document = closure.documents[closure.uri]
        title = self.document.get("title")
        self.title = title if isinstance(title, str) else None
        try:
            bundle = bundled(closure)
            _check_meta_schema(bundle)
            check_bounded(bundle)
            price = price_of(bundle)
            self._fill = defaults_of(bundle)
        except RecursionError as error:
            raise BrokenSchema("its references are nested too deeply") from error
        self._dear = None if price.is_cheap else price
        self._field = lru_cache(_FIELDS_REMEMBERED)(partial(field_of, bundle))
        put_formats_into_patterns(bundle.parts)
        validator = _compiled(bundle)
        self.is_valid = validator.is_valid
        """Whether an event follows the schema; where it `is_plain` that is all there is to ask."""
        self.is_plain = self._fill is None and self._dear is None
        """Whether it has no defaults, and events are cheap to judge."""
        self._explainer = Explainer(validator, bundle)

    def validate(self, body: dict[str, Any]) -> None:
        """Raise SchemaViolation unless the event follows the schema.

        EventTooLarge is raised where the schema is dear, and judging the event would take long.
        MalformedEvent is raised where the validator meets what it cannot read: more than 255
        levels, or what is no Unicode. It reads only what the schema asks for: whatever it does not
        meet has to be refused by whoever stores the event.
        """
        if self._dear:
            self._dear.check(body)
        try:
            if self.is_valid(body):
                return
            violations = self._explainer.violations_of(body)
        except ValueError as error:
            raise MalformedEvent(f"The event cannot be judged: {_first_line(error)}") from error
        raise SchemaViolation(self.uri, violations)

    def with_defaults(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the event with the schema's defaults; `body` itself if there are none to fill.

        EventTooLarge is raised where filling them in would take long.
        """
        if self._fill is None:
            return body
        if self._dear:
            self._dear.check(body)
        return self._fill(body)

    def field(self, path: str) -> Field | None:
        """Say whether the schema has a field, by its dotted path such as `http.client_ip`.

        "declared": it names it; "map": the object that would hold it takes any name; else None.
        """
        return self._field(path)


def _check_meta_schema(bundle: Bundle) -> None:
    try:
        rs.meta.validate(bundle.schema)
    except (ValueError, rs.ReferencingError) as error:
        raise _broken(error) from error


def _compiled(bundle: Bundle) -> rs.Validator:
    try:
        return bundle.draft.validator(
            bundle.schema,
            validate_formats=False,  # they are patterns now
            pattern_options=rs.RegexOptions(),  # an engine whose time is linear
            offline=True,
        )
    except (ValueError, rs.ReferencingError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> BrokenSchema:
    why = _first_line(error)
    if not isinstance(error, rs.ValidationError):
        return BrokenSchema(why)
    if error.kind.name == "format" and error.kind.as_dict().get("format") == "regex":
        why = (
            f"{why}: patterns are regular expressions without look-around and back-references, "
            "and of modest size"
        )
    return BrokenSchema(f"at #{pointer_of(tuple(error.instance_path))}: {why}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]

"""One schema of draft 3 in the words of draft-07, and all schemas within it.

Every word keeps what the old system's validator made of it. What cannot be kept is noted.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from app.core.json import text_of
from app.schemas.keywords import pointer_of
from app.schemas.repository import Document
from migration.conversion.limits import put_bounds, put_limits
from migration.conversion.notes import Note, note_of
from migration.conversion.options import Bounds

MAX_SHOWN = 60

_KEPT = frozenset(
    (
        "description",
        "enum",
        "maxItems",
        "maxLength",
        "minItems",
        "minLength",
        "pattern",
        "title",
        "uniqueItems",
    )
)
_TYPES = frozenset(("any", "array", "boolean", "integer", "null", "number", "object", "string"))
_WITH_ANOTHER = frozenset(("exclusiveMaximum", "exclusiveMinimum", "required"))
_SILENT = frozenset(("$schema", "id"))


class ConversionError(ValueError):
    """A schema cannot be converted; the message says where, why, and what to do."""


class Spot(NamedTuple):
    """A place in the old schema; `negated` says that what it takes is refused."""

    path: tuple[str | int, ...] = ()
    negated: bool = False

    @property
    def pointer(self) -> str:
        return pointer_of(self.path)

    def inner(self, *tokens: str | int) -> Self:
        return self._replace(path=(*self.path, *tokens))

    def opposite(self) -> Self:
        return self._replace(negated=not self.negated)


class Converter:
    """Converts schemas; remembers the notes."""

    def __init__(self, bounds: Bounds | None) -> None:
        self.notes: list[Note] = []
        self._bounds = bounds

    def schema(self, old: Document, spot: Spot) -> Document:
        """Return a draft-3 schema, which has passed its meta-schema, as one of draft-07.

        Raises ConversionError. Words keep their order, and the names that are required stand
        before the properties.
        """
        if "$ref" in old:
            raise ConversionError(
                f"at {spot.pointer or '/'}: $ref {text_of(old['$ref'], MAX_SHOWN)} led into the "
                "capsule or out of the schema; write what it means in its place"
            )
        made: Document = {}
        for word, value in old.items():
            made |= self._word(word, value, old, spot)
        if isinstance(old.get("desc_enum"), dict) and old["desc_enum"]:
            made = _with_words(made, old["desc_enum"])
            self.note("enum_words", spot)
        self.notes += put_limits(made, spot.pointer, negated=spot.negated)
        if self._bounds and not spot.negated:
            self.notes += put_bounds(made, self._bounds, spot.pointer)
        return made

    def note(self, rule: str, spot: Spot, detail: str = "") -> None:
        """Remember that a rule was applied."""
        self.notes.append(note_of(rule, spot.pointer, detail=detail, negated=spot.negated))

    def _word(self, word: str, value: Any, old: Document, spot: Spot) -> Document:
        match word:
            case "type":
                return self._types(value, spot)
            case "disallow":
                return self._disallowed(value, spot)
            case "extends":
                every = list(self._each(value, spot.inner(word)))
                return {"allOf": every} if every else {}
            case "properties":
                return self._properties(value, spot)
            case "patternProperties":
                within = spot.inner(word)
                return {
                    word: {
                        name: self._value(one, within.inner(name)) for name, one in value.items()
                    }
                }
            case "items" if value == []:
                # All items are additional ones then, which draft-07 says with items alone.
                rest = old.get("additionalItems", True)
                return {word: self._inner(rest, spot.inner("additionalItems"))}
            case "additionalItems" if old.get("items") == []:
                pass
            case "additionalItems" | "additionalProperties" | "items":
                return {word: self._inner(value, spot.inner(word))}
            case "dependencies":
                return {word: self._dependencies(value, spot.inner(word))}
            case "minimum" | "maximum":
                exclusive = f"exclusive{word.capitalize()}"
                return {exclusive if old.get(exclusive) else word: value}
            case "divisibleBy":
                if isinstance(value, float):
                    self.note("fraction", spot)
                return {"multipleOf": value}
            case "format" | "default":
                self.note(word, spot, text_of(value, MAX_SHOWN))
            case "desc_enum" if isinstance(value, dict):
                pass
            case _ if word in _KEPT:
                return {word: value}
            case _ if word not in _WITH_ANOTHER | _SILENT:
                self.note("unknown_word", spot, text_of(word, MAX_SHOWN))
        return {}

    def _value(self, old: Document, spot: Spot, *, is_property: bool = False) -> Document:
        """Return the schema of a value within another: one that a table would have a column for."""
        if old.get("required") and not is_property:
            self.note("idle_required", spot)
        made = self.schema(old, spot)
        if not made.keys() & {"type", "anyOf", "allOf", "not"}:
            self.note("any", spot)
        elif "anyOf" in made or isinstance(made.get("type"), list):
            self.note("union", spot)
        return made

    def _inner(self, value: Any, spot: Spot) -> Any:
        if isinstance(value, list):
            return [self._value(one, spot.inner(index)) for index, one in enumerate(value)]
        return self._value(value, spot) if isinstance(value, dict) else value

    def _properties(self, properties: Document, spot: Spot) -> Document:
        within = spot.inner("properties")
        required = [name for name, one in properties.items() if one.get("required")]
        converted = {
            name: self._value(one, within.inner(name), is_property=True)
            for name, one in properties.items()
        }
        return ({"required": required} if required else {}) | {"properties": converted}

    def _dependencies(self, dependencies: Document, spot: Spot) -> Document:
        made: Document = {}
        for name, one in dependencies.items():
            if isinstance(one, dict):
                made[name] = self.schema(one, spot.inner(name))
            else:
                # Draft-07 wants each name once.
                made[name] = [one] if isinstance(one, str) else list(dict.fromkeys(one))
        return made

    def _each(self, value: Any, spot: Spot) -> Iterator[Document]:
        if isinstance(value, dict):
            yield self.schema(value, spot)
        else:
            for index, one in enumerate(value):
                yield self.schema(one, spot.inner(index))

    def _types(self, value: Any, spot: Spot) -> Document:
        names, schemas = self._listed(value, spot.inner("type"))
        if "any" in names:
            return {}
        if "integer" in names and "number" not in names:
            self.note("whole_float", spot)
        if not schemas:
            return _of_names(names)
        return {"anyOf": [*([_of_names(names)] if names else []), *schemas]}

    def _disallowed(self, value: Any, spot: Spot) -> Document:
        inside = spot.opposite()
        names, schemas = self._listed(value, inside.inner("disallow"))
        if "any" in names:
            return {"not": {}}
        if "integer" in names and "number" not in names:
            self.note("whole_float", inside)
        alternatives = [*([_of_names(names)] if names else []), *schemas]
        if len(alternatives) > 1:
            return {"not": {"anyOf": alternatives}}
        return {"not": alternatives[0]} if alternatives else {}

    def _listed(self, value: Any, spot: Spot) -> tuple[list[str], list[Document]]:
        listed = value if isinstance(value, list) else [value]
        names = [one for one in listed if isinstance(one, str)]
        for name in names:
            if name not in _TYPES:
                raise ConversionError(
                    f"at {spot.pointer}: there is no type {text_of(name, MAX_SHOWN)!r}; there are "
                    f"{', '.join(sorted(_TYPES))}"
                )
        schemas = [
            self.schema(one, spot.inner(index))
            for index, one in enumerate(listed)
            if isinstance(one, dict)
        ]
        return names, schemas


def _of_names(names: list[str]) -> Document:
    if not names:
        return {"not": {}}  # an empty list of types took nothing
    return {"type": names[0] if len(names) == 1 else names}


def _with_words(made: Document, words: Document) -> Document:
    """Return a schema whose description ends with what `desc_enum` says of each value."""
    lines = [f"- {value}: {text_of(said, 2_000)}" for value, said in words.items()]
    described = [made["description"], ""] if made.get("description") else []
    return made | {"description": "\n".join((*described, *lines))}

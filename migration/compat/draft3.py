"""On-wiki schemas of draft 3 in the words of draft-07, where `strict integer` has been added.

Meaning is kept exactly, as the old system's validator saw it; nothing is checked that it did not.
"""

from typing import Any

from app.schemas.keywords import path_of
from migration.compat.kinds import STRICT_INTEGER, TYPES, listed

_SAME = (
    "enum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "title",
    "description",
    "uniqueItems",
)


class Draft3Error(ValueError):
    """A draft-3 schema says something that its validator could not have used."""


def modernised(schema: Any, *, closed: bool = False) -> Any:
    """Return a draft-3 schema in the words of draft-07; raises Draft3Error.

    `closed` refuses unknown properties at the top unless the schema says something about them, as
    the old system did.
    """
    if not isinstance(schema, dict):
        raise Draft3Error("a schema is an object")
    made = _schema({"additionalProperties": False, **schema} if closed else schema, "#")
    _check_references(made, made)
    return made


def _schema(schema: Any, where: str) -> Any:
    if not isinstance(schema, dict):
        raise Draft3Error(f"at {where}: a schema is an object")
    if isinstance(schema.get("$ref"), str):
        reference = schema["$ref"]
        if not reference.startswith("#"):
            raise Draft3Error(f"at {where}: $ref {reference} leads out of the schema")
        return {"$ref": reference}
    made: dict[str, Any] = {key: schema[key] for key in _SAME if key in schema}
    every: list[Any] = []
    _put_types(schema, made, every, where)
    _put_bounds(schema, made)
    _put_object(schema, made, where)
    _put_array(schema, made, where)
    extends = schema.get("extends")
    if extends is not None:
        listed = extends if isinstance(extends, list) else [extends]
        every += [_schema(one, f"{where}/extends") for one in listed]
    if every:
        made["allOf"] = every
    return made


def _put_types(schema: dict[str, Any], made: dict[str, Any], every: list[Any], where: str) -> None:
    types = _types(schema.get("type"), f"{where}/type")
    if types is not None:
        every.append({"anyOf": types})
        if all(one.keys() == {"type"} for one in types):
            every.pop()
            made["type"] = [name for one in types for name in listed(one["type"])]
    disallowed = _types(schema.get("disallow"), f"{where}/disallow")
    if "disallow" in schema:
        every.append({"not": {"anyOf": [{}] if disallowed is None else disallowed}})


def _types(type_: Any, where: str) -> list[Any] | None:
    """Return a type as schemas of which one must take the value; None if it says nothing."""
    if type_ is None:
        return None
    made = []
    for one in type_ if isinstance(type_, list) else [type_]:
        if one == "any":
            return None
        if isinstance(one, dict):
            made.append(_schema(one, where))
        elif one == "integer":
            made.append({"type": STRICT_INTEGER})
        elif isinstance(one, str) and one in TYPES:
            made.append({"type": one})
        else:
            raise Draft3Error(f"at {where}: {one!r} is no type of draft 3")
    return made


def _put_bounds(schema: dict[str, Any], made: dict[str, Any]) -> None:
    for keyword, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if keyword in schema and schema.get(exclusive) is True:
            made[exclusive] = made.pop(keyword)
    if "divisibleBy" in schema:
        made["multipleOf"] = schema["divisibleBy"]


def _put_object(schema: dict[str, Any], made: dict[str, Any], where: str) -> None:
    for keyword in ("properties", "patternProperties"):
        if isinstance(schema.get(keyword), dict):
            made[keyword] = {
                name: _schema(inner, f"{where}/{keyword}/{name}")
                for name, inner in schema[keyword].items()
            }
    required = [
        name for name, inner in schema.get("properties", {}).items() if inner.get("required", False)
    ]
    if required:
        made["required"] = required
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        made["additionalProperties"] = _schema(additional, f"{where}/additionalProperties")
    elif additional is False:
        made["additionalProperties"] = False
    if "dependencies" in schema:
        made["dependencies"] = {
            name: _dependency(one, f"{where}/dependencies/{name}")
            for name, one in schema["dependencies"].items()
        }


def _dependency(wanted: Any, where: str) -> Any:
    if isinstance(wanted, dict):
        return _schema(wanted, where)
    return [wanted] if isinstance(wanted, str) else wanted


def _put_array(schema: dict[str, Any], made: dict[str, Any], where: str) -> None:
    items = schema.get("items")
    if isinstance(items, list):
        made["items"] = [_schema(one, f"{where}/items/{i}") for i, one in enumerate(items)]
        additional = schema.get("additionalItems")
        if isinstance(additional, dict):
            made["additionalItems"] = _schema(additional, f"{where}/additionalItems")
        elif additional is False:
            made["additionalItems"] = False
    elif isinstance(items, dict):
        made["items"] = _schema(items, f"{where}/items")


def _check_references(value: Any, root: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _check_references(one, root)
    elif isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and path_of(root, reference[1:]) is None:
            raise Draft3Error(f"$ref {reference} leads nowhere")
        for key, one in value.items():
            if key != "enum":
                _check_references(one, root)

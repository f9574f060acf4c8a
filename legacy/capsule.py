"""The capsule: what an old event says about itself, around its own fields."""

import re
from typing import Any

from legacy.errors import LegacyError

# The old service let a newline at the end of the name through; no client of its sends one.
SCHEMA_NAME = re.compile(r"[./a-zA-Z0-9_-]{1,63}")

# What a client says of an address, or of what only a server can know: never repeated, not even in
# what is told about an event that was refused.
NEVER_STORED = frozenset(("clientIp", "http", "ip", "recvFrom", "uuid"))

_OWN = ("event", "revision", "wiki")
_SECRETS = re.compile(
    rb'("(?:clientIp|client_ip|ip|recvFrom|uuid)"\s*+:\s*+)(?:"(?:[^"\\]|\\.)*+"?+|[^\s,}"]++)',
    re.DOTALL,
)


def is_capsule(value: Any) -> bool:
    """Say whether a JSON value has the shape of a capsule, and not of an event of a newer kind."""
    return (
        isinstance(value, dict)
        and "schema" in value
        and "$schema" not in value
        and not isinstance(value.get("meta"), dict)
        and any(name in value for name in _OWN)
    )


def object_in(value: Any, where: str) -> dict[str, Any]:
    """Return a JSON value that was found `where`, an object; raises LegacyError for another."""
    if isinstance(value, dict):
        return value
    raise LegacyError(
        f"{where} is JSON, but not an object.",
        reason="malformed",
        expected="a JSON object",
        got=_kind(value),
        hint='Send the capsule itself: {"schema": ..., "revision": ..., "event": {...}}.',
    )


def may_be_told(capsule: dict[str, Any]) -> dict[str, Any]:
    """Return what may be stored of a capsule that is refused."""
    return {name: value for name, value in capsule.items() if name not in NEVER_STORED}


def without_secrets(text: bytes) -> bytes:
    """Return what may be stored of a capsule's JSON that cannot be read, cut or broken as it is."""
    return _SECRETS.sub(rb"\1null", text)


def schema_name(capsule: dict[str, Any]) -> str:
    """Return the name of the capsule's schema; raises LegacyError if it has none of good form."""
    name = capsule.get("schema")
    if isinstance(name, str) and SCHEMA_NAME.fullmatch(name):
        return name
    raise LegacyError(
        "The capsule does not name its schema.",
        reason="missing_field",
        pointer="/schema",
        expected="1 to 63 ASCII letters, digits, '_', '-', '.' and '/'",
        got=_form(capsule, name),
        hint="Set schema to the schema's name, for example MediaWikiPingback.",
    )


def revision(capsule: dict[str, Any]) -> int | None:
    """Return the revision of the capsule's schema, None if it gives no integer."""
    number = capsule.get("revision")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _form(capsule: dict[str, Any], name: Any) -> str:
    if "schema" not in capsule:
        return "nothing"
    if not isinstance(name, str):
        return "something that is not a string"
    return f"{len(name)} characters, of them {len(SCHEMA_NAME.sub('', name))} not allowed"


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "a number"

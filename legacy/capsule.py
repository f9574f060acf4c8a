"""The capsule: what an old event says about itself, around its own fields."""

import re
from typing import Any

from legacy.errors import LegacyError

# The old service let a newline at the end of the name through; no client of its sends one.
SCHEMA_NAME = re.compile(r"[./a-zA-Z0-9_-]{1,63}")


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

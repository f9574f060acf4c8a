"""Which schema an event says it follows, and whether that can be said at all."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from legacy.strict.errors import CapsuleInvalid

# `$` also lets a newline at the end through, as it did then.
_NAME = re.compile(r"^[./a-zA-Z0-9_-]{1,63}$")
_URI = re.compile(
    r"^(?P<name>[\w./-]+)/(?P<revision>\d+)(?:\.json|\.yaml|\.yml)?$|^(?P<bare>[\w./-]+)$"
)


class Reference(NamedTuple):
    """A schema's name and revision as an event states them: values of any type."""

    name: Any
    revision: Any


def reference_of(event: Mapping[str, Any]) -> Reference | None:
    """Return the reference of an event, None if it has none; raises if its URI is no text.

    Events with an object as `meta` state it as `meta.schema_uri`, capsules in two fields.
    """
    meta = event.get("meta")
    if isinstance(meta, dict):
        return _of_uri(meta["schema_uri"]) if "schema_uri" in meta else None
    if "schema" in event and "revision" in event:
        return Reference(event["schema"], event["revision"])
    return None


def check_reference(reference: Reference | None) -> Reference:
    """Return the reference if it can be one; raises CapsuleInvalid."""
    if reference is None:
        raise CapsuleInvalid("scid could not be extracted from event.")
    name, revision = reference
    if not isinstance(revision, int):  # true and false are integers to Python
        raise CapsuleInvalid(f"Invalid revision ID type: {type(revision)}")
    if revision < 1:
        raise CapsuleInvalid(f"Invalid revision ID {revision}")
    if not isinstance(name, str) or not _NAME.match(name):
        raise CapsuleInvalid(f"Invalid schema name: {name}")
    return reference


def _of_uri(uri: Any) -> Reference | None:
    if not isinstance(uri, str):
        raise TypeError(f"meta.schema_uri is of {type(uri)}.")
    found = _URI.search(urlsplit(uri).path)
    if not found:
        return None
    revision = found["revision"]
    name = found["name"] or found["bare"]
    return Reference(name.strip("/"), int(revision) if revision else None)
